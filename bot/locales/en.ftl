# Every word the bot says, in English. Markup: what Telegram's HTML mode knows.
# Values in braces are escaped before they come here.

# -- the card -----------------------------------------------------------------------------
card-head = <b>#{ $request }</b> for { $person }: { $count ->
    [one] 1 image
   *[other] { $count } images
}  { $bar } { $over } of { $count }
card-head-moved = ⚠️ <b>#{ $request }</b>: { $count ->
    [one] 1 version is not what it was at its source
   *[other] { $count } versions are not what they were at their sources
}  { $bar } { $over } of { $count }
card-moved = { $count ->
    [one] A version is not meant to move: somebody may have replaced it. Ask its makers why before you approve. What was looked at is copied, and nothing later.
   *[other] Versions are not meant to move: somebody may have replaced them. Ask their makers why before you approve. What was looked at is copied, and nothing later.
}
card-approved-by = Approved by { $person }.
card-cancelled = Cancelled.
card-folded = … and { $count } more{ $mirrored ->
    [0] { "" }
   *[other] , { $mirrored } mirrored
}{ $going ->
    [0] { "" }
   *[other] , { $going } under way
}{ $waiting ->
    [0] { "" }
   *[other] , { $waiting } waiting for an admin
}{ $failed ->
    [0] { "" }
   *[other] , { $failed } not mirrored
}.
card-untagged = { $count ->
    [one] No tag was given for { $images }, so I took <code>latest</code>.
   *[other] No tag was given for { $images }, so I took <code>latest</code> of each.
}
card-joined = Already on its way for #{ $request } ({ $person }): { $images }. You will get the answer too.
images = { $images }
images-also = { $images }, { $image }
images-more = { $images } and { $more } more

line-checking = 🔎 <code>{ $image }</code> · { $shape }{ $note }
line-waiting = ⏳ <code>{ $image }</code> · { $shape }{ $note }
line-approved = 👍 <code>{ $image }</code> · { $shape }{ $note }
line-submitted = 📝 <code>{ $image }</code> · { $shape }{ $note }
line-copying = 🔄 <code>{ $image }</code> · { $shape }{ $note }
line-verifying = 🔄 <code>{ $image }</code> · { $shape }{ $note }
line-mirrored = ✅ <code>{ $image }</code> · { $shape }{ $note }
line-failed = ❌ <code>{ $image }</code> · { $shape }{ $note }
line-rejected = 🚫 <code>{ $image }</code> · { $shape }{ $note }
line-expired = ⌛ <code>{ $image }</code> · { $shape }{ $note }
line-cancelled = ⏹ <code>{ $image }</code> · { $shape }{ $note }

note-checking = looking it up
note-waiting = waits for an admin
note-waiting-moved = <code>{ $old }</code> → <code>{ $new }</code>, waits for an admin
note-approved = approved, in the queue{ $ahead ->
    [0] { "" }
    [one] {" "}(1 image ahead of it)
   *[other] {" "}({ $ahead } images ahead of it)
}
note-approved-by-policy = approved by the policy, in the queue{ $ahead ->
    [0] { "" }
    [one] {" "}(1 image ahead of it)
   *[other] {" "}({ $ahead } images ahead of it)
}
note-submitted = submitted, waiting for its run{ $ahead ->
    [0] { "" }
    [one] {" "}(1 image ahead of it)
   *[other] {" "}({ $ahead } images ahead of it)
}
note-resumes = { $cause }; I will try again at { $time }
note-copying = copying for { $time } (<a href="{ $url }">run</a>)
note-verifying = copied, checking what arrived
note-identical = already there, same digest
note-mirrored = mirrored, digest verified
note-mirrored-by-run = mirrored, according to its run (I cannot read the target from here)
note-rejected = rejected by { $person }
note-rejected-because = rejected by { $person }: { $reason }
note-expired = nobody decided in time
note-cancelled = cancelled
note-trouble = { $trouble }; { $tries ->
    [one] tried once, trying again
   *[other] tried { $tries } times, trying again
}
note-trouble-until = { $trouble }; { $tries ->
    [one] tried once, next try at { $time }
   *[other] tried { $tries } times, next try at { $time }
}
trouble-silent = { $who } does not answer
trouble-unreachable = { $who } cannot be reached
trouble-busy = { $who } asks me to wait
trouble-faulty = { $who } has a problem of its own
trouble-unreadable = { $who } gives answers that make no sense
trouble-locked-out = { $who } does not accept my token any more: the maintainer has to renew it
trouble-outdated = the workflow in the mirror repository is not the one that I ship: the maintainer has to run imageto-bot setup
trouble-contested = image.list keeps being changed by others
trouble-behind = { $who } does not show the new image yet
trouble-other = { $line }

denied = not allowed here
denied-because = not allowed here: { $reason }
denied-registry = { $registry } is not one of the allowed registries
denied-next = Nothing was started. An admin can change what is allowed.

shape = { $platforms ->
    [0] { "" }
    [one] 1 platform ·{ " " }
   *[other] { $platforms } platforms ·{ " " }
}
shape-sized = { $platforms ->
    [0] { $size } ·{ " " }
    [one] 1 platform, { $size } ·{ " " }
   *[other] { $platforms } platforms, { $size } ·{ " " }
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
button-copy-one = 📋 { $image }
button-copy-part = 📋 { $first }–{ $last }
button-copy-all = 📋 Copy all
button-all = ✅ Mirror all { $count }
button-choose = ☑️ Choose…
button-chosen = ✅ Mirror { $count }
button-tick = { $ticked ->
    [1] ☑️
   *[other] ⬜
} { $image }
button-page = Page { $page } of { $pages }
button-drop = ✖️ Cancel
button-yes = ✅ Yes, mirror it
button-mirror-it = ✅ Mirror it
button-update = ♻️ { $image }
button-meant = ➡️ { $image }
button-retry = 🔁 Retry failed
button-form = { $on ->
    [1] •{" "}
   *[other] { "" }
}{ $form }
form-docker = docker
form-containerd = containerd
form-kubernetes = Kubernetes

# -- drafts: what was found, before anything is done --------------------------------------
draft-head = <b>#{ $request }</b> for { $person }: { $count ->
    [one] 1 image found. Mirror it?
   *[other] { $count } images found. Mirror them?
}
draft-head-file = <b>#{ $request }</b> for { $person }: { $count ->
    [one] 1 image found in <code>{ $file }</code>. Mirror it?
   *[other] { $count } images found in <code>{ $file }</code>. Mirror them?
}
draft-line = ▫️ <code>{ $image }</code>
draft-more = … and { $count } more.
draft-choosing = Tap an image to leave it out, or to take it back in.
draft-expired = Nobody answered for a day, so I dropped it.
draft-dropped = #{ $request }: cancelled, nothing was started.
draft-confirmed = #{ $request } is already under way.
draft-over = #{ $request } was cancelled. Ask again with /mirror.
draft-unconfirmed = #{ $request } still waits for { $person } to confirm it.
draft-most = There is more, but I take only the first { $count } images of a text.
draft-empty = Nothing is ticked in #{ $request }: tick at least one image.
draft-page = { $pages ->
    [1] Tap what to leave out.
   *[other] Page { $page } of { $pages }
}
draft-ticked = { $chosen } of { $count } ticked
confirmed = { $count ->
    [one] On it: 1 image.
   *[other] On it: { $count } images.
}
going-on = #{ $request } goes on: { $count ->
    [one] 1 image.
   *[other] { $count } images.
}
already-taken = #{ $request } is already going on with another image.
wanted = On it.
form-shown = Written for { $form }.
form-already = Already written for { $form }.

nothing-found = I found no image in that. Like this: <code>/mirror nginx:1.27</code>
nothing-found-file = I found no image in <code>{ $file }</code>.
file-too-large = { $file } is too large: I read files of up to { $limit } MiB. Please split it, or send the images as text.
file-too-deep = { $file } is nested too deeply for me, or refers to itself too often. Please send the images as text.
file-too-many = { $file } names more images than I can take at once. Please split it.
text-too-large = That is too much text for me. Please send it in parts, or only the names of the images.
text-too-deep = That is nested too deeply for me. Please send only the names of the images.
text-too-many = That is more than I can take at once. Please send it in parts.
file-not-text = { $file } is not a text file that I can read. Please send the images as text.
file-broken = { $file } is malformed, and I found no image in it. Please check it, or send the images as text.
file-gone = I could not get <code>{ $file }</code> from Telegram. Please send it again.

# -- the result ---------------------------------------------------------------------------
result-all = Done, { $done } of { $count }:
result-some = Partly done, { $done } of { $count }:
result-none = { $count ->
    [one] That did not work:
   *[other] None of the { $count } images could be mirrored:
}
pull = <code>{ $command }</code>
pull-more = … and { $count } more.
returned = Your file for #{ $request }, with the images from our registry.
returned-nothing = I could not change the images in <code>{ $file }</code> without changing something else.
returned-others = { $count ->
    [one] As it was, since it was not mirrored: { $images }
   *[other] As they were, since they were not mirrored: { $images }
}
returned-fixed = { $count ->
    [one] To be changed by hand: { $images }
   *[other] To be changed by hand, { $count } images: { $images }
}

# -- failures: the cause, and what to do next ------------------------------------------------
failure-missing = not found at the source (missing, or private)
failure-missing-meant = not found at the source. Did you mean <code>{ $image }</code>?
failure-missing-next = Check the name and the tag, then ask again with /mirror.
failure-missing-meant-next = Tap the one you mean, or send the right name with /mirror.
failure-source-login = the source wants a login (or has no such image)
failure-source-login-next = Check the name first: some registries answer like this when there is no such image. If it is right, ask the maintainer to add a login for that registry (secret SOURCE_AUTH), then send /retry #{ $request }.
failure-rate-limited = the registry limits how much we may pull for now
failure-rate-limited-next = I kept trying for hours. /retry #{ $request } may work later; the maintainer can raise the limit with a login (secret SOURCE_AUTH).
failure-source-refused = the source cannot be used: { $line }
failure-source-refused-next = Ask the maintainer to look at that registry, then send /retry #{ $request }.
failure-target-login = the target does not let our login push this
failure-target-login-next = Ask the maintainer to check that HARBOR_USER and HARBOR_PWD are still valid (robot accounts expire), that the project exists and that the login may push to it. Then send /retry #{ $request }.
failure-target-project = the target has no project that takes this image
failure-target-project-next = Ask the maintainer to create the project in the target (not as a proxy cache), then send /retry #{ $request }.
failure-target-quota = the project in the target is full
failure-target-quota-next = Ask the maintainer to raise the project's quota, then send /retry #{ $request }.
failure-immutable = the target holds another image under this tag and does not allow it to change
failure-immutable-next = Take another tag, or ask the maintainer to change the immutability rule.
failure-platform = the image is not built for the wanted platform
failure-platform-next = Another tag may have it: look at the source, then ask again with /mirror.
failure-too-large = too large for the target, or for the machine that copies
failure-too-large-next = Ask the maintainer to allow larger uploads in front of the target, or to make room, then send /retry #{ $request }.
failure-network = the network failed: { $line }
failure-network-next = It did not get better by itself. Send /retry #{ $request } to try again; if that does not help, ask the maintainer to look at the run.
failure-timed-out = the copy took too long
failure-timed-out-next = What has arrived is kept, so another try gets further: send /retry #{ $request }.
failure-workflow-missing = the mirror repository has no workflow to copy it
failure-workflow-missing-next = Ask the maintainer to install it (imageto-bot setup), then send /retry #{ $request }.
failure-workflow-off = the workflow is switched off in the mirror repository
failure-workflow-off-next = Ask the maintainer to enable it in the repository's Actions tab, then send /retry #{ $request }.
failure-run-missing = GitHub started no run for it
failure-run-missing-next = Ask the maintainer to check that Actions are enabled in the mirror repository, then send /retry #{ $request }.
failure-run-cancelled = its run was cancelled
failure-run-cancelled-next = Somebody stopped the run on GitHub; /retry #{ $request } starts another.
failure-run-silent = its run ended ({ $line }) without a word about this image
failure-run-silent-next = The run's log tells more; /retry #{ $request } starts another.
failure-github-refused = GitHub refused it: { $line }
failure-github-refused-next = Ask the maintainer to check the bot's token and the mirror repository, then send /retry #{ $request }.
failure-unlisted = somebody took it out of image.list meanwhile
failure-unlisted-next = /retry #{ $request } asks for it anew.
failure-mismatch = the target holds a different digest from the one that was copied
failure-mismatch-next = Something else writes to that place: ask the maintainer to find out what.
failure-absent = its run says that it was copied, but the target does not have it
failure-absent-next = Something removes images there, or the run pushes to another registry: ask the maintainer to look, then send /retry #{ $request }.
failure-unknown = copying failed: { $line }
failure-unknown-next = The run's log tells more; try again with /retry #{ $request }.

# -- commands -----------------------------------------------------------------------------
command-mirror = copy images to our registry
command-status = what is going on, one request, or one image
command-lookup = look an image up without copying it
command-list = what is in image.list
command-outdated = what has moved at its source since we copied it
command-watch = tell me when an image has moved
command-unwatch = tell me no more
command-cancel = cancel a request
command-retry = retry what failed
command-approve = approve a request
command-reject = reject a request
command-whoami = your id and this chat's id
command-help = what I can do
command-start = what I can do

help-head = I copy container images to our own registry. Here is what you can send:
help-row = { $usage } · { $words }
help-example = For example: <code>/mirror nginx:1.27 gcr.io/distroless/static:nonroot</code>
    A compose file, Kubernetes YAML or a Dockerfile will do too: send it with /mirror as its caption, or reply to it with /mirror.

misuse = Like this: <code>{ $usage }</code> · { $words }

bad-head = { $count ->
    [one] I cannot read that as an image:
   *[other] I cannot read these as images:
}
bad-line = <code>{ $text }</code>: { $reason }
bad-meant = <code>{ $text }</code>: { $reason }. Did you mean <code>{ $image }</code>?
bad-more = … and { $count } more.
bad-corrected = Send: <code>{ $command }</code>
bad-next = Like this: <code>{ $usage }</code>, for example <code>nginx:1.27</code> or <code>gcr.io/distroless/static:nonroot</code>.

limit-request = At most { $number } images in one message: leave some out, or ask in several.
limit-open = You can have { $number } images open at a time. Wait for some to finish, or send /cancel with the number of a request.
limit-minute = That was fast: I take { $number } commands a minute from each person. What you send now I pass over; please go on in { $seconds } s.
limit-daily = You can ask for { $number } images a day. Please ask again in some hours.

outside = I do not serve this chat yet. Its id is <code>{ $chat }</code>, yours is <code>{ $person }</code>: the maintainer can add it to my config.
guest = You are not on my list yet. Your id is <code>{ $person }</code>: ask an admin to add it to my config.
cannot-store = I cannot write anything down just now, so nothing has happened yet. Your message is kept: I take it up by itself as soon as I can.
cannot-store-press = I cannot write anything down just now. Please press again in a few minutes.
absent = I was out of reach from { $since } to { $until }. Telegram keeps messages for a day only: what was sent to me before { $before } may be lost. Please ask again.
faceless = I cannot see who you are: you are writing as an anonymous admin or a channel. Please write as yourself.
admins-only = Only an admin can decide this.

whoami = Your id: <code>{ $person }</code> ({ $role })
    This chat's id: <code>{ $chat }</code>
whoami-admin = admin
whoami-member = not an admin

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
too-late = It is too late to cancel #{ $request }: it is being copied or already over.
cancelled = #{ $request }: { $count ->
    [one] 1 image cancelled.
   *[other] { $count } images cancelled.
}{ $going ->
    [0] { "" }
    [one] {" "}1 more is being copied already.
   *[other] {" "}{ $going } more are being copied already.
}
nothing-to-retry = There is nothing in #{ $request } to try again.

status-nothing = Nothing of yours is going on here. Want an image? Send /mirror and its name.
status-mine = Your requests:
status-others = Other people's requests:
status-draft = #{ $request } · a draft, waits for { $person } to confirm it
status-queue = All chats: { $checking } being looked up, { $waiting } waiting for an admin, { $queued } in the queue, { $copying } being copied.
status-budget = { $name }: { $remaining } of { $limit } requests left.
status-kept = Kept fresh: { $count ->
    [one] 1 image
   *[other] { $count } images
}{ $due ->
    [0] { "" }
   *[other] , { $due } due for a look
}.
status-trouble = Trouble now: { $trouble }
status-failed = Last failure: <code>{ $image }</code>, { $cause } ({ $time })
status-row = #{ $request } · <code>{ $image }</code>{ $more ->
    [0] { "" }
   *[other] {" "}and { $more } more
} · { $over } of { $count }{ $waiting ->
    [0] { "" }
   *[other] , { $waiting } waiting for an admin
} · { $person }
status-more = … and { $count } more.
status-unknown = Nobody has asked for <code>{ $image }</code> yet. To ask for it: <code>/mirror { $image }</code>
history-opened = Asked for: { $time }
history-asked = #{ $request } by { $person }
history-approved = Approved by { $person }: { $time }
history-approved-by-policy = Approved by the policy: { $time }
history-run = <a href="{ $url }">The run on GitHub</a>
history-ended = Ended: { $time }

# -- looking without mirroring --------------------------------------------------------------
lookup-head = 🔎 <code>{ $image }</code>
lookup-denied = <code>{ $image }</code>: { $reason }
lookup-refused = The source cannot be queried: { $line }
lookup-missing = Not found at the source (missing, or private).
lookup-digest = Digest: <code>{ $digest }</code>
lookup-platforms = Platforms: { $platforms }{ $more ->
    [0] { "" }
   *[other] {" "}and { $more } more
}
lookup-size = Size: { $size }
lookup-created = Built: { $time } ({ $days ->
    [0] today
    [one] yesterday
   *[other] { $days } days ago
})
lookup-target-same = ✅ Our registry has exactly the same:
lookup-target-other = ♻️ Our registry has another digest under this tag, probably an older one:
lookup-target-only = 📦 Our registry still has it:
lookup-target-none = Our registry does not have it yet.
lookup-target-unreadable = I cannot read our registry just now.
lookup-unanswered = I could not look it up: { $trouble }. Please try again later.
list-head = { $count ->
    [one] image.list holds 1 image:
   *[other] image.list holds { $count } images:
}
list-head-text = { $count ->
    [one] image.list holds 1 image with “{ $text }” in it:
   *[other] image.list holds { $count } images with “{ $text }” in them:
}
list-line = <code>{ $image }</code>
list-empty = image.list is empty. Use /mirror to add to it.
list-none = No image in image.list has “{ $text }” in it.
list-unanswered = I could not read image.list: { $trouble }. Please try again later.
outdated-head = { $count ->
    [one] 1 image is not what it is at its source:
   *[other] { $count } images are not what they are at their sources:
}
outdated-line = ♻️ <code>{ $image }</code>: <code>{ $old }</code> → <code>{ $new }</code>
outdated-version = ⚠️ <code>{ $image }</code>: <code>{ $old }</code> → <code>{ $new }</code>. A version should not move: ask its makers why before you /mirror it again.
outdated-new = 📦 <code>{ $image }</code>: not in our registry yet
outdated-more = … and { $count } more.
outdated-none = { $count ->
    [0] I could compare nothing.
    [one] ✅ The image I looked at is what it is at its source.
   *[other] ✅ All is well with the { $count } images I looked at: nothing has moved.
}
outdated-fixed = { $count ->
    [one] That image is listed by its digest, which never moves.
   *[other] Those { $count } images are listed by their digests, which never move.
}
outdated-vanished = { $count ->
    [one] 1 image is no longer at its source (gone, or private); our copy stays.
   *[other] { $count } images are no longer at their sources (gone, or private); our copies stay.
}
outdated-untold = { $count ->
    [one] 1 image could not be compared: a registry did not answer. Ask again later.
   *[other] { $count } images could not be compared: registries did not answer. Ask again later.
}
outdated-cut = I looked at the first { $count } of { $listed }. <code>/outdated TEXT</code> looks at those with TEXT in their names.
outdated-unanswered = I could not read image.list: { $trouble }. Please try again later.

# -- images that move -----------------------------------------------------------------------
news-head = { $count ->
    [one] An image has moved at its source, and our registry has it now:
   *[other] { $count } images have moved at their sources, and our registry has them now:
}
watching = I will tell you here when <code>{ $image }</code> has moved and our registry has the new one.
watch-unlisted = Only what image.list holds is kept fresh, and I have not seen it there yet: <code>/mirror { $image }</code> adds it.
watch-head = { $count ->
    [one] You watch 1 image:
   *[other] You watch { $count } images:
}
watch-none = You watch no image. <code>/watch nginx:1.27</code> would tell you when that one moves.
watch-limit = You can watch { $number } images. <code>/watch</code> lists yours, /unwatch takes one out.
watch-off = Nobody looks for images that move: the maintainer can set it up (<code>fresh</code> in my config). /outdated shows what has moved by now.
watch-fixed = <code>{ $image }</code> is named by its digest, which never moves.
unwatched = I will not tell you of <code>{ $image }</code> any more.
unwatch-none = You do not watch <code>{ $image }</code>. <code>/watch</code> lists what you do.

# -- mistakes: why a text is no image -------------------------------------------------------
problem-empty = there is nothing there
problem-blank = an image's name has no blanks or line breaks
problem-character = it holds a character that no image's name may have
problem-uppercase = the repository has to be in lower case
problem-bare-id = that is the id of an image, not its name
problem-too-long = the name is longer than 255 characters
problem-ipv6-host = a registry by IPv6 address cannot be mirrored; use its name
problem-no-domain = it begins like a registry's name but is not one
problem-host = the registry's name is not a valid host
problem-tag = the tag is not valid
problem-digest = the digest is not valid
problem-variable = it holds a variable without a default, so I cannot know what it will be
problem-no-tag = no tag is given there, so I cannot know which one the chart takes
problem-malformed = images are not written like that

mistake-invisible = there are invisible characters in it
mistake-web-page = that is the address of a web page
mistake-source-page = that is a page of source code; the image may have another name
mistake-command-line = that is a command line
mistake-quotes = leave the quotes out
mistake-scheme = an image has no https:// in front
mistake-full-width = there are full-width characters in it
mistake-blank = there is a blank in it
mistake-mirror-prefix = that is its name at another mirror; I need the name at the source
mistake-target-prefix = that is its name in our registry; I need the name at the source
mistake-uppercase = the repository has to be in lower case
mistake-punctuation = there is punctuation around it
mistake-slash-for-colon = the tag comes after a colon
mistake-tag-joined = the tag comes after a colon
mistake-wrong-library = only official images of Docker Hub have library/
