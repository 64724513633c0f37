# Every word the bot says, in English. Markup: what Telegram's HTML mode knows.
# Values in braces are escaped before they come here.

# -- the card -----------------------------------------------------------------------------
card-head = <b>#{ $request }</b> for { $person }: { $count ->
    [one] 1 image
   *[other] { $count } images
}  { $bar } { $over } of { $count }
card-approved-by = Approved by { $person }.
card-cancelled = Cancelled.
card-folded = … and { $count } more: { $mirrored } mirrored, { $failed } failed, { $waiting } waiting for an admin, { $copying } being copied.

line-checking = 🔎 <code>{ $image }</code> · { $note }
line-waiting = ⏳ <code>{ $image }</code> · { $note }
line-approved = 👍 <code>{ $image }</code> · { $note }
line-submitted = 📝 <code>{ $image }</code> · { $note }
line-copying = 🔄 <code>{ $image }</code> · { $note }
line-verifying = 🔄 <code>{ $image }</code> · { $note }
line-mirrored = ✅ <code>{ $image }</code> · { $note }
line-failed = ❌ <code>{ $image }</code> · { $note }
line-rejected = 🚫 <code>{ $image }</code> · { $note }
line-expired = ⌛ <code>{ $image }</code> · { $note }
line-cancelled = ⏹ <code>{ $image }</code> · { $note }

note-checking = checking
note-waiting = { $shape }waits for an admin
note-approved = approved, goes with the next commit
note-approved-by-policy = approved by the policy, goes with the next commit
note-submitted = committed to the list, waiting for the run
note-copying = copying, <a href="{ $url }">run</a>, { $time }
note-verifying = copied, checking what arrived
note-identical = already there, same digest
note-mirrored = mirrored, digest verified
note-mirrored-sized = mirrored, { $size }, digest verified
note-mirrored-by-run = mirrored, as its run says (the target cannot be read from here)
note-mirrored-by-run-sized = mirrored, { $size }, as its run says (the target cannot be read from here)
note-rejected = rejected by { $person }
note-rejected-because = rejected by { $person }: { $reason }
note-expired = nobody decided in time
note-cancelled = cancelled
note-trouble = { $trouble }; { $tries ->
    [one] tried once, trying again
   *[other] tried { $tries } times, trying again
}

denied = not allowed here
denied-because = not allowed here: { $reason }
denied-registry = { $registry } is not one of the allowed registries
denied-next = Nothing was started. An admin can change what is allowed.

shape = { $platforms ->
    [0] { "" }
    [one] 1 platform:{ " " }
   *[other] { $platforms } platforms:{ " " }
}
shape-sized = { $platforms ->
    [0] { $size }:{ " " }
    [one] 1 platform, { $size }:{ " " }
   *[other] { $platforms } platforms, { $size }:{ " " }
}
size-b = { $amount } B
size-kb = { $amount } kB
size-mb = { $amount } MB
size-gb = { $amount } GB
time-seconds = { $count } s
time-minutes = { $count } min

button-approve = ✅ Approve
button-reject = ❌ Reject
button-copy = 📋 Copy

# -- the result ---------------------------------------------------------------------------
result-all = Done, { $done } of { $count }:
result-some = Done in part, { $done } of { $count }:
result-none = { $count ->
    [one] It did not work out:
   *[other] None of the { $count } worked out:
}
pull = <code>{ $command }</code>
pull-more = … and { $count } more.

# -- failures: the cause, and what to do next ------------------------------------------------
failure-missing = not found at the source (missing, or private)
failure-missing-meant = not found at the source. Did you mean <code>{ $image }</code>?
failure-missing-next = Check the name and the tag, then ask again with /mirror.
failure-source-login = the source wants a login
failure-source-login-next = The maintainer can add a login for that registry (secret SOURCE_AUTH), then /retry #{ $request }.
failure-rate-limited = the source limits how much may be pulled
failure-rate-limited-next = Try again later with /retry #{ $request }; a login in SOURCE_AUTH raises the limit.
failure-source-refused = the source cannot be used: { $line }
failure-source-refused-next = The maintainer has to look at this; /retry #{ $request } after that.
failure-target-login = the target refuses our login
failure-target-login-next = The maintainer has to check HARBOR_USER and HARBOR_PWD, then /retry #{ $request }.
failure-target-project = the target has no such project
failure-target-project-next = The maintainer has to create the project in the target, then /retry #{ $request }.
failure-target-quota = the target has no room left
failure-target-quota-next = The maintainer has to raise the quota of the project, then /retry #{ $request }.
failure-immutable = the target holds another image under this tag and does not allow it to change
failure-immutable-next = Ask for another tag, or let the maintainer change the immutability rule.
failure-network = the network failed: { $line }
failure-network-next = Try again with /retry #{ $request }.
failure-timed-out = the copy took too long
failure-timed-out-next = Try again with /retry #{ $request }.
failure-workflow-missing = the mirror repository has no workflow to copy it
failure-workflow-missing-next = The maintainer has to install it (imageto-bot setup), then /retry #{ $request }.
failure-workflow-off = the workflow is switched off in the mirror repository
failure-workflow-off-next = The maintainer has to enable it in the repository's Actions tab, then /retry #{ $request }.
failure-run-missing = GitHub started no run for it
failure-run-missing-next = The maintainer should look whether Actions are enabled in the mirror repository, then /retry #{ $request }.
failure-run-cancelled = its run was cancelled
failure-run-cancelled-next = Somebody stopped the run in GitHub; /retry #{ $request } starts another.
failure-run-silent = its run ended ({ $line }) without a word about this image
failure-run-silent-next = The run's log tells more; /retry #{ $request } starts another.
failure-github-refused = GitHub refused it: { $line }
failure-github-refused-next = The maintainer has to check the bot's token and the repository, then /retry #{ $request }.
failure-mismatch = the target holds another digest than the one copied
failure-mismatch-next = Something else writes to that place; the maintainer has to look.
failure-unknown = copying failed: { $line }
failure-unknown-next = The run's log tells more; try again with /retry #{ $request }.

# -- commands -----------------------------------------------------------------------------
command-mirror = copy images to our registry
command-status = what is going on, one request, or one image
command-cancel = call a request off
command-retry = try again what failed
command-approve = let a request go ahead
command-reject = turn a request down
command-whoami = your id and this chat's id
command-help = what I can do
command-start = what I can do

help-head = I copy container images to our own registry. Ask me:
help-row = { $usage } · { $words }
help-example = For example: <code>/mirror nginx:1.27 gcr.io/distroless/static:nonroot</code>

misuse = Like this: <code>{ $usage }</code> · { $words }

bad-head = { $good ->
    [0] { $count ->
        [one] I cannot read that as an image:
       *[other] I cannot read these as images:
    }
   *[other] I cannot read { $count ->
        [one] one of these
       *[other] some of these
    }, so nothing was started:
}
bad-line = <code>{ $text }</code>: { $reason }
bad-meant = <code>{ $text }</code>: { $reason }. Did you mean <code>{ $image }</code>?
bad-more = … and { $count } more.
bad-corrected = Send: <code>{ $command }</code>
bad-next = Like this: <code>{ $usage }</code>, for example <code>nginx:1.27</code> or <code>gcr.io/distroless/static:nonroot</code>.

limit-request = That is more than { $number } images in one message. Please split it.
limit-open = That would be more than { $number } of your images at a time. Wait for some to finish, or /cancel one.
limit-daily = That would be more than { $number } images in a day. Please go on tomorrow.

outside = I do not serve this chat yet. Its id is <code>{ $chat }</code>, yours is <code>{ $person }</code>: the maintainer can add it to my config.
guest = You are not on my list yet. Your id is <code>{ $person }</code>: ask an admin to add it to my config.
faceless = I cannot see who you are: you write as an anonymous admin or a channel. Please write as yourself.
admins-only = Only an admin can decide this.

whoami = Your id: <code>{ $person }</code> ({ $role })
    This chat's id: <code>{ $chat }</code>
whoami-admin = admin
whoami-member = no admin

# -- answers to commands and presses --------------------------------------------------------
approved = #{ $request }: { $count ->
    [one] 1 image approved.
   *[other] { $count } images approved.
}
rejected = #{ $request }: { $count ->
    [one] 1 image rejected.
   *[other] { $count } images rejected.
}
already-approved = Already approved by { $person }.
already-rejected = Already rejected by { $person }.
already-cancelled = #{ $request } was cancelled.
already-expired = #{ $request } has expired.
nothing-to-decide = #{ $request } needs no decision.
button-unknown = This button is no longer in use.
no-request = There is no request #{ $request } here. /status lists what is going on.
not-yours = #{ $request } is somebody else's: only they or an admin can do that.
too-late = Nothing of #{ $request } can be cancelled any more: it is being copied, or over.
cancelled = #{ $request }: { $count ->
    [one] 1 image cancelled.
   *[other] { $count } images cancelled.
} { $going ->
    [0] { "" }
    [one] 1 more is being copied already.
   *[other] { $going } more are being copied already.
}
nothing-to-retry = Nothing of #{ $request } can be tried again.

status-nothing = Nothing is going on. /mirror starts something.
status-mine = Yours:
status-others = Others:
status-row = #{ $request } · <code>{ $image }</code>{ $more ->
    [0] { "" }
   *[other] {" "}and { $more } more
} · { $over } of { $count }{ $waiting ->
    [0] { "" }
   *[other] , { $waiting } waiting for an admin
} · { $person }
status-more = … and { $count } more.
status-unknown = Nobody has asked for <code>{ $image }</code> yet. <code>/mirror { $image }</code> does.
history-opened = Asked for: { $time }
history-asked = #{ $request } by { $person }
history-approved = Approved by { $person }: { $time }
history-approved-by-policy = Approved by the policy: { $time }
history-run = <a href="{ $url }">The run in GitHub</a>
history-ended = Over: { $time }

# -- mistakes: why a text is no image -------------------------------------------------------
problem-empty = there is nothing there
problem-blank = a reference has no blanks or line breaks
problem-character = it holds a character that no reference may have
problem-uppercase = the repository has to be in lower case
problem-bare-id = that is the id of an image, not its name
problem-too-long = the name is longer than 255 characters
problem-ipv6-host = a registry by IPv6 address cannot be mirrored; use its name
problem-no-domain = it begins like a registry's name but is none
problem-host = the registry's name is not a host
problem-tag = the tag is not valid
problem-digest = the digest is not valid
problem-malformed = that is not how an image is written

mistake-invisible = there are invisible characters in it
mistake-web-page = that is the address of a web page
mistake-command-line = that is a command line
mistake-quotes = leave the quotes out
mistake-scheme = an image has no https:// in front
mistake-full-width = there are full-width characters in it
mistake-blank = there is a blank in it
mistake-target-prefix = that is its name in our registry; I need the name at the source
mistake-uppercase = the repository has to be in lower case
mistake-punctuation = there is punctuation around it
mistake-slash-for-colon = the tag comes after a colon
mistake-wrong-library = library/ belongs to official images of Docker Hub only
