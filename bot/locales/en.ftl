# Every word the bot says, in English. Markup: what Telegram's HTML mode knows.
# Values in braces are escaped before they come here.

# -- the card -----------------------------------------------------------------------------
card-head = <b>#{ $request }</b> for { $person }: { $count ->
    [one] 1 image
   *[other] { $count } images
}  { $bar } { $over } of { $count }
card-head-updated = ⚠️ <b>#{ $request }</b>: { $count ->
    [one] 1 listed image differs from its source
   *[other] { $count } listed images differ from their sources
}  { $bar } { $over } of { $count }
card-head-offer = 🌱 <b>#{ $request }</b>: { $count ->
    [one] 1 listed image was kept fresh without a question
   *[other] { $count } listed images were kept fresh without a question
}  { $bar } { $over } of { $count }
card-offer = Since the upgrade, an admin has to approve each new digest of them, as their rules say. Keep them fresh as before?
    Until { $time } I hold their updates back. If nobody answers by then, I ask about each one.
card-head-removal = 🗑 <b>#{ $request }</b> for { $person }: leave image.list  { $bar } { $over } of { $count }
card-removal = If approved, its lines leave image.list. It is no longer kept fresh, and nobody is told of its updates. Our registry keeps what it has.
card-version-updated = { $count ->
    [one] A version tag should not change: the image may have been replaced. Ask its publisher before you approve. Only the digest shown here is copied.
   *[other] Version tags should not change: these images may have been replaced. Ask their publishers before you approve. Only the digests shown here are copied.
}
card-approved-by = Approved by { $people }.
card-signed = 🔏 Signed by { $by }: { $images }
card-unchecked = ⚠️ Signature not checked, though a rule demands one by { $signer }: { $images }
card-deciders = Who can approve: { $people }.
card-held = It goes on by itself then, if the tag has the same digest. An admin lets it go on now by <code>/approve #{ $request }</code> and a reason.
card-cancelled = Cancelled.
card-changed = The card of #{ $request } had changed before that, so nothing was decided.
    .next = I show the card again. Look at it, then decide.
waiting-others = { $count ->
    [one] 1 more waits for an admin, on another page.
   *[other] { $count } more wait for an admin, on the other pages.
}
waiting-reason = { $person } rejects { $count ->
    [one] 1 image
   *[other] { $count } images
}. Why? Choose a reason, or reply to this message with <code>/reject</code> and your own.
card-folded = … and { $count } more{ $mirrored ->
    [0] { "" }
   *[other] {" "}· { $mirrored } mirrored
}{ $going ->
    [0] { "" }
   *[other] {" "}· { $going } under way
}{ $waiting ->
    [0] { "" }
   *[other] {" "}· { $waiting } waiting for an admin
}{ $failed ->
    [0] { "" }
   *[other] {" "}· { $failed } not mirrored
}
card-untagged = { $count ->
    [one] No tag was given for { $images }, so I took <code>latest</code>.
   *[other] No tag was given for { $images }, so I took <code>latest</code> of each.
}
card-joined = Already under way for #{ $request } ({ $person }): { $images }. You get an answer too.
maintainer-unnamed = the maintainer
maintainer-named = { $name }
maintainer-linked = <a href="person:{ $id }">{ $name }</a>
person-linked = <a href="person:{ $id }">{ $name }</a>
admin-linked = <a href="person:{ $id }">admin</a>
announcement = { $count ->
    [one] { $requests } waits for an admin.
   *[other] { $count } requests wait for an admin: { $requests }.
}
announcement-call = { $admins }: please decide on the card. /status lists what waits.
announcement-expiry = { $request } expires at { $time } if nobody decides.
announcement-over = Nothing waits for an admin here any more.
announcement-replaced = A newer message of mine says what waits for an admin.
images = { $images }
plain = { $text }
images-also = { $images }, { $image }
images-more = { $images } and { $more } more

line-checking = 🔎 <code>{ $image }</code> · { $shape }{ $note }
line-waiting = ⏳ <code>{ $image }</code> · { $shape }{ $note }
line-waiting-short = ⏳ <code>{ $image }</code> <code>{ $digest }</code>
line-waiting-run = ⏳ <code>{ $image }</code>: <code>{ $first }</code> … <code>{ $last }</code> · { $count } images · { $who }
line-approved = 👍 <code>{ $image }</code> · { $shape }{ $digest }{ $note }
line-submitted = 📝 <code>{ $image }</code> · { $shape }{ $digest }{ $note }
line-copying = 🔄 <code>{ $image }</code> · { $shape }{ $digest }{ $note }
line-verifying = 🔄 <code>{ $image }</code> · { $shape }{ $digest }{ $note }
line-mirrored = ✅ <code>{ $image }</code> · { $shape }{ $digest }{ $note }
line-kept = 🌱 <code>{ $image }</code> · { $shape }{ $digest }{ $note }
line-asked = ❓ <code>{ $image }</code> · { $shape }{ $note }
line-digest = <code>{ $digest }</code> ·{ " " }
line-removed = 🗑 <code>{ $image }</code> · { $shape }{ $note }
line-failed = ❌ <code>{ $image }</code> · { $shape }{ $note }
line-rejected = 🚫 <code>{ $image }</code> · { $shape }{ $note }
line-expired = ⌛ <code>{ $image }</code> · { $shape }{ $note }
line-replaced = ↪️ <code>{ $image }</code> · { $shape }{ $note }
line-cancelled = ⏹ <code>{ $image }</code> · { $shape }{ $note }

note-checking = looking it up
note-held = <code>{ $digest }</code> · waits until { $time }: its digest is too new for its rule
note-waiting = waits for an admin
note-waiting-digest = <code>{ $digest }</code> · { $who }
waits-for-several = waits for { $needed } admins
waits-for-more = approved by { $given } of { $needed }: { $people }
waits-differing = not all are approved by the same admins
note-waiting-rejected = <code>{ $digest }</code>, an admin rejected this digest before, { $who }
note-waiting-rollback = back from <code>{ $old }</code> to <code>{ $new }</code>, { $who }
note-removal-approved = { $person } approved. It leaves with the next commit, after open requests for it
note-removal-submitted = { $person } approved, committing
note-removal-removed = no longer in image.list, approved by { $person }
note-waiting-updated = <code>{ $old }</code> → <code>{ $new }</code>, { $who }
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
note-put-off = { $registry }'s pull limit, goes on at { $time }
note-put-off-hub = Docker Hub's pull limit, goes on at { $time }
note-resumes = { $cause }. I will try again at { $time }
note-run-queued = queued at GitHub, no runner has taken its <a href="{ $url }">run</a> yet
note-copying = copying for { $time } (<a href="{ $url }">run</a>)
note-verifying = copied, checking what arrived
note-identical = was already there, same digest
note-see-answer = not mirrored, see the answer
note-mirrored = mirrored, digest verified
note-mirrored-by-run = mirrored according to its run (I cannot read our registry)
note-rejected = rejected by { $person }
    .next = { $person } can tell you why. After that, /retry #{ $request } asks for it again.
note-rejected-because = rejected by { $person }: { $reason }
    .next = Ask { $person } if you need it all the same. After that, /retry #{ $request } asks for it again.
note-expired = nobody decided in time
    .next = Remind an admin, then send /retry #{ $request }.
note-replaced = replaced: #{ $by } brings another digest of this tag
    .next = If you still need it, send /retry #{ $request }: it is looked up and decided anew.
note-replaced-by-update = replaced: another digest of this tag was approved
    .next = If you still need it, send /retry #{ $request }: it is looked up and decided anew.
note-kept = kept fresh by { $person }
note-not-kept = { $person } wants to be asked about each new digest
note-offer-expired = nobody answered, so I ask about each new digest
note-cancelled = cancelled
note-trouble = { $trouble }: { $tries ->
    [one] tried once, trying again
   *[other] tried { $tries } times, trying again
}
note-trouble-until = { $trouble }: { $tries ->
    [one] tried once, next try at { $time }
   *[other] tried { $tries } times, next try at { $time }
}
trouble-silent = { $who } does not answer
trouble-unreachable = { $who } cannot be reached
trouble-busy = { $who } limits my requests for now
trouble-faulty = { $who } reports an internal error
trouble-unreadable = { $who } gives answers that I cannot read
trouble-locked-out = { $who } no longer accepts my token, so { $maintainer } has to renew it
trouble-outdated = the workflow in the mirror repository is not the one that I ship, so { $maintainer } has to run imageto-bot setup
trouble-paused = an admin has paused me: /status shows why
trouble-contested = others keep changing image.list
trouble-behind = { $who } does not show the new image yet
trouble-looking = GitHub looks at it
trouble-other = { $line }

denied = not allowed by the policy
    .next = Ask { $maintainer } if you need it: the policy is in my config.
denied-because = not allowed by the policy: { $reason }
    .next = Ask { $maintainer } if you need it: the policy is in my config.
denied-registry = { $registry } is not an allowed registry
    .next = Allowed: { $registries }. Ask { $maintainer } to add others to my config.
nothing-started = Nothing was started.

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
time-hours = { $count } h

button-approve = ✅ Approve
button-approve-these = { $count ->
    [one] ✅ Approve 1 image
   *[other] ✅ Approve these { $count }
}
button-keep = { $count ->
    [one] ✅ Approve and keep fresh
   *[other] ✅ Approve these { $count } and keep them fresh
}
button-offer = { $count ->
    [one] 🌱 Keep it fresh
   *[other] 🌱 Keep all fresh
}
button-offer-these = { $count ->
    [one] 🌱 Keep 1 fresh
   *[other] 🌱 Keep these { $count } fresh
}
button-ask = ❓ Ask each time
button-ask-these = { $count ->
    [one] ❓ Ask about 1 each time
   *[other] ❓ Ask about these { $count } each time
}
button-removal = 🗑 Approve
button-stay = ❌ Reject
button-floats = { $count ->
    [one] ✅ Approve: this tag floats
   *[other] ✅ Approve: these { $count } tags float
}
button-reject = ❌ Reject
button-reject-these = { $count ->
    [one] ❌ Reject 1 image
   *[other] ❌ Reject these { $count }
}
button-reason = ❌ { $reason }
button-no-reason = ❌ Without a reason
button-digests = 🔎 Digests
button-back = ↩️ Back
button-unkeep = ✖️ { $image }
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
button-digest-alone = { $count ->
    [1] The digest alone
   *[other] { $image }: the digest alone
}
button-tag-now = { $image } as it is now
button-retry = 🔁 Try again
button-form = { $on ->
    [1] •{" "}
   *[other] { "" }
}{ $form }
form-docker = docker
form-containerd = containerd
form-kubernetes = Kubernetes

# -- drafts: what was found, before anything is done --------------------------------------
draft-head = <b>#{ $request }</b> for { $person }: { $count ->
    [one] 1 image found.
   *[other] { $count } images found.
}
draft-head-file = <b>#{ $request }</b> for { $person }: { $count ->
    [one] 1 image found in <code>{ $file }</code>.
   *[other] { $count } images found in <code>{ $file }</code>.
}
draft-head-files = <b>#{ $request }</b> for { $person }: { $count ->
    [one] 1 image found in <code>{ $file }</code> and { $more } more { $more ->
        [one] file
       *[other] files
    }.
   *[other] { $count } images found in <code>{ $file }</code> and { $more } more { $more ->
        [one] file
       *[other] files
    }.
}
draft-asks = { $head } { $count ->
    [one] Mirror it?
   *[other] Mirror them?
}
draft-line = ▫️ <code>{ $image }</code>
draft-more = … and { $count } more.
draft-choosing = Tap an image to leave it out, or to take it back in.
draft-expired = Nobody answered for a day, so I dropped this draft.
    .next = Ask again with /mirror.
draft-dropped = #{ $request }: cancelled, nothing was started.
draft-confirmed = #{ $request } is already under way.
    .next = /status #{ $request } shows how far it is.
draft-over = #{ $request } was cancelled.
    .next = Ask again with /mirror.
draft-unconfirmed = #{ $request } is a draft.
    .next = { $person } has to confirm it first.
draft-most = There is more, but I take only the first { $count } images.
draft-cut-text = ⚠️ Telegram cuts a long text into several messages. If yours went on, the rest did not reach me.
    .next = Send it as a file, or send it to me in a private chat.
draft-cut-text-private = ⚠️ Telegram cuts a long text into several messages. If yours went on, the rest did not reach me.
    .next = Send it as a file.
draft-cut-album = ⚠️ You sent several files at once, and only this one reached me.
    .next = Send each of the others with /mirror as its caption, or all of them to me in a private chat.
draft-cut-album-private = ⚠️ You sent several files at once, and only this one reached me.
    .next = Send all of them together again.
draft-cut-long = ⚠️ Your text goes on, but that is more than I take at once.
    .next = Send all of it as a file.
draft-arriving = More of #{ $request } is just arriving, so nothing was started.
    .next = I show it again. Look at it, then press.
draft-empty = Nothing is ticked in #{ $request }.
    .next = Tick at least one image.
draft-page = { $pages ->
    [1] Tap what to leave out.
   *[other] Page { $page } of { $pages }
}
draft-ticked = { $chosen } of { $count } ticked
confirmed = { $count ->
    [one] On it: 1 image.
   *[other] On it: { $count } images.
}
going-on = #{ $request } continues: { $count ->
    [one] 1 image.
   *[other] { $count } images.
}
already-taken = #{ $request } already continues with another image.
    .next = To have this one too, send it with /mirror.
wanted = On it.
form-shown = Written for { $form }.
form-already = Already written for { $form }.

unknown-command = I do not know <code>/{ $command }</code>.
    .next = /help lists what I understand.
nothing-found = I found no image in that.
    .next = Send it like this: <code>/mirror nginx:1.27</code>
nothing-found-file = I found no image in <code>{ $file }</code>.
    .next = Send the images as text, such as <code>/mirror nginx:1.27</code>
file-too-large = <code>{ $file }</code> is too large: I read files of up to { $limit } MiB.
    .next = Split it, or send the images as text.
file-too-deep = <code>{ $file }</code> is nested too deeply, or refers to itself too often.
    .next = Send the images as text.
file-too-many = <code>{ $file }</code> names more images than I can take at once.
    .next = Split it into several files.
text-too-large = That is too much text for me.
    .next = Send it in parts, or only the names of the images.
text-too-deep = That is nested too deeply for me.
    .next = Send only the names of the images.
text-too-many = That is more than I can take at once.
    .next = Send it in parts.
file-not-text = <code>{ $file }</code> is not a text file that I can read.
    .next = Send the images as text.
file-broken = <code>{ $file }</code> is malformed, and I found no image in it.
    .next = Check the file, or send the images as text.
file-gone = I could not get <code>{ $file }</code> from Telegram.
    .next = Send it again.

# -- the result ---------------------------------------------------------------------------
result-all = Done, { $done } of { $count }:
result-some = Partly done, { $done } of { $count }:
result-removed = Out of image.list:
result-not-removed = Still in image.list:
result-ask-again = To ask again: <code>/remove { $image }</code>
result-none = { $count ->
    [one] Not mirrored:
   *[other] None of the { $count } images was mirrored:
}
pull = <code>{ $command }</code>
pull-more = … and { $count } more.
result-charts = A chart does not contain its images. To get { $count ->
    [one] those
   *[other] those of the first
}, send me what this prints: <code>{ $command }</code>
result-there = { $count ->
    [one] Was already there, with the same digest: { $images }
   *[other] Were already there, with the same digests: { $images }
}
result-previous = What the tag had before is kept as: { $images }
result-previous-refused = What the tag had before could not be kept: { $images }
    .next = /why with the name of the image tells the cause.
result-pull-refused = { $images } cannot be pulled now: { $line }
    .next = Ask the maintainer to look at our registry.
result-attached = With { $count ->
    [one] 1 signature or attestation
   *[other] { $count } signatures and attestations
}.
result-attached-refused = Not all signatures and attestations came along: { $images }
    .next = /why with the name of the image tells the cause.
returned = Your file for #{ $request }, with the images from our registry.
returned-nothing = I cannot change the images in <code>{ $file }</code> without changing something else.
    .next = Put the addresses above into the file by hand.
returned-others = Unchanged, since not mirrored: { $images }
returned-fixed = { $count ->
    [one] To be changed by hand: { $images }
   *[other] To be changed by hand, { $count } images: { $images }
}
returned-passed = Not read as images (line and key): { $places }

# -- failures: the cause, and what to do next ------------------------------------------------
failure-missing = not found at the source (missing, or private)
    .next = Check the name and the tag, then ask again with /mirror.
failure-missing-meant = not found at the source. Did you mean <code>{ $image }</code>?
    .next = Tap the one you mean, or send the right name with /mirror.
failure-other-digest = its tag names another digest at the source
    .next = Tap which one you mean: the digest alone, which has no tag in our registry, or the tag as it is now.
failure-other-digest-alone = the source has this digest, but no such tag
    .next = Tap the button to get the digest alone, which has no tag in our registry.
failure-digest-gone = the source no longer has the approved digest
    .next = Send /retry #{ $request }: I look it up again, and an admin may have to approve it anew.
failure-unsigned = not signed as a rule demands it: { $line }
    .next = Ask whoever publishes the image for that signature, then send /retry #{ $request }. If it is not to be expected, { $maintainer } can change the rule.
failure-source-login = the source wants a login, or has no such image
    .next = Check the name. If it is right, ask { $maintainer } for a login to that registry (secret SOURCE_AUTH), then send /retry #{ $request }.
failure-rate-limited = the source limits how much we may pull for now
    .next = I tried for hours. Send /retry #{ $request } later, or ask { $maintainer } for a login, which raises the limit (secret SOURCE_AUTH).
failure-put-off = the source allowed too few pulls for a day
    .next = Send /retry #{ $request } later, or ask { $maintainer } for a login, which raises the limit (secret SOURCE_AUTH).
failure-source-refused = the source cannot be used: { $line }
    .next = Ask { $maintainer } to look at that registry, then send /retry #{ $request }.
failure-source-broken = the image is broken at its source: { $line }
    .next = Choose another tag, or tell those who publish it.
failure-target-refused = our registry cannot be used: { $line }
    .next = Ask { $maintainer } to look at our registry, then send /retry #{ $request }.
failure-target-busy = our registry takes no more requests for now
    .next = Send /retry #{ $request } later. If that does not help, ask { $maintainer } to look at our registry.
failure-target-login = our registry does not let our login push this
    .next = Ask { $maintainer } to check HARBOR_USER, HARBOR_PWD (robot accounts expire) and the right to push, then send /retry #{ $request }.
failure-target-project = our registry has no project that takes this image
    .next = Ask { $maintainer } to create the project (not as a proxy cache), then send /retry #{ $request }.
failure-target-quota = the project in our registry is full
    .next = Ask { $maintainer } to raise the project's quota, then send /retry #{ $request }.
failure-immutable = our registry holds another image under this tag and does not let it change
    .next = Take another tag, or ask { $maintainer } to change the immutability rule.
failure-platform = the image is not built for the wanted platform
    .next = Another tag may have it: look at the source, then ask again with /mirror.
failure-too-large = too large for our registry, or for the machine that copies
    .next = Ask { $maintainer } to allow larger uploads to our registry, or to free disk space, then send /retry #{ $request }.
failure-network = the network failed: { $line }
    .next = Send /retry #{ $request } to try again. If that does not help, ask { $maintainer } to look at the run's log.
failure-timed-out = the copy took too long
    .next = What has arrived is kept, so the next try gets further: send /retry #{ $request }.
failure-workflow-missing = the mirror repository has no workflow to copy it
    .next = Ask { $maintainer } to install it (imageto-bot setup), then send /retry #{ $request }.
failure-workflow-off = the workflow is disabled in the mirror repository
    .next = Ask { $maintainer } to enable it on the repository's Actions page, then send /retry #{ $request }.
failure-run-missing = GitHub started no run for it
    .next = Ask { $maintainer } to check that Actions are enabled in the mirror repository, then send /retry #{ $request }.
failure-run-invalid = GitHub cannot read the workflow file
    .next = Ask { $maintainer } to install it anew (imageto-bot setup), then send /retry #{ $request }.
failure-run-not-started = its run ended before a runner took it ({ $line })
    .next = Ask { $maintainer } to look for a payment that failed, a spending limit, or a runner with the label of github.runner. Then send /retry #{ $request }.
failure-run-cancelled = its run was cancelled
    .next = Somebody cancelled the run on GitHub. Send /retry #{ $request } to start another.
failure-run-silent = its run ended ({ $line }) without a result for this image
    .next = The run's log says more. Send /retry #{ $request } to start another run.
failure-github-refused = GitHub refused it: { $line }
    .next = Ask { $maintainer } to check the bot's token and the mirror repository, then send /retry #{ $request }.
failure-unlisted = somebody removed it from image.list meanwhile
    .next = Send /retry #{ $request } to ask for it again.
failure-mismatch = our registry holds another digest than the approved one
    .next = Something else writes to that place. Ask { $maintainer } to find out what, then send /retry #{ $request }.
failure-absent = its run reports success, but our registry does not have it
    .next = Something removes images there, or the run pushes elsewhere. Ask { $maintainer } to look, then send /retry #{ $request }.
failure-unknown = copying failed: { $line }
    .next = The run's log says more. Send /retry #{ $request } to try again.

# -- commands -----------------------------------------------------------------------------
command-mirror = copy images to our registry
    .usage = /mirror IMAGE…
command-status = what is under way, one request, or one image
    .usage = /status [#41 | IMAGE]
command-lookup = look up an image without copying it
    .usage = /lookup IMAGE…
command-list = what is in image.list
    .usage = /list [text]
command-outdated = which of our images differ from their sources
    .usage = /outdated [text]
command-watch = tell me when an image is updated upstream
    .usage = /watch [IMAGE…]
command-follow = tell this chat of newer versions
    .usage = /follow [IMAGE] [RANGE]
command-unfollow = no longer tell it
    .usage = /unfollow IMAGE [RANGE]
command-unkeep = what admins keep fresh, and how to end that
    .usage = /unkeep [IMAGE]
command-unwatch = stop telling me
    .usage = /unwatch IMAGE…
command-why = who asked for an image, who decided, and what arrived
    .usage = /why IMAGE
command-history = what was decided lately
    .usage = /history [#41 | IMAGE]
command-rollback = ask an admin to put the previous digest back
    .usage = /rollback IMAGE
command-remove = ask an admin to take an image out of image.list
    .usage = /remove IMAGE
command-nodes = how nodes pull by the original names, as a file
    .usage = /nodes
command-cancel = cancel a request
    .usage = /cancel #41
command-retry = retry what failed
    .usage = /retry #41
command-approve = approve a request
    .usage = /approve #41
command-reject = reject a request
    .usage = /reject #41 [reason]
command-notify = show me in private too what waits
    .usage = /notify [off]
command-pause = hold all commits and runs
    .usage = /pause [reason]
command-resume = lift the pause
    .usage = /resume
command-block = deny images from now on
    .usage = /block IMAGE [reason]
command-unblock = lift a block
    .usage = /unblock IMAGE
command-reload = read my config again
    .usage = /reload
command-whoami = your id and this chat's id
    .usage = /whoami
command-help = what I can do
    .usage = /help
command-start = what I can do
    .usage = /start

help-head = I copy container images to our registry. You can send:
help-row = { $usage } · { $words }
help-example = For example: <code>/mirror nginx:1.27 gcr.io/distroless/static:nonroot</code>
    I also read compose files, Kubernetes YAML and Dockerfiles: send one with /mirror as its caption, or reply to it with /mirror.
    In a private chat no command is needed: send names or files as they are.
    In a reply to a card or a result, a command means that one and needs no number.

misuse = Like this: <code>{ $usage }</code> · { $words }
misuse-reply = Or send it as a reply to a card or a result of mine.

bad-head = { $count ->
    [one] I cannot read that as an image:
   *[other] I cannot read these as images:
}
bad-line = <code>{ $text }</code>: { $reason }
bad-meant = <code>{ $text }</code>: { $reason }. Did you mean <code>{ $image }</code>?
bad-more = … and { $count } more.
bad-corrected = Send: <code>{ $command }</code>
bad-next = Send it like this: <code>{ $usage }</code>, for example <code>nginx:1.27</code> or <code>gcr.io/distroless/static:nonroot</code>.

limit-request = At most { $number } images in one message.
    .next = Leave some out, or ask in several messages.
limit-open = You can have { $number } images open at a time.
    .next = Wait until some are done, or send /cancel with the number of a request.
limit-drafts = You have { $number } drafts that wait for you.
    .next = Confirm or cancel some of them. /status lists them.
limit-questions = I am still looking up { $number } things for you.
    .next = Ask again when some are answered.
limit-lookups = I look up at most { $number } images at a time.
    .next = Ask for fewer of them, or wait for my answers.
limit-minute = That was fast: I take { $number } commands a minute from each person.
    .next = I ignore what you send in the next { $seconds } s.
limit-daily = You can ask for { $number } images in 24 hours.
    .next = { $minutes ->
        [0] Ask for fewer at a time.
       *[other] You can ask for these in { $wait }, at { $time }.
    }

added = I mirror the container images that you ask for. This chat's id is <code>{ $chat }</code>, yours is <code>{ $person }</code>.
added-next = Ask for one with <code>/mirror</code>.
added-unserved = I mirror container images, but I do not serve this chat yet. Its id is <code>{ $chat }</code>, yours is <code>{ $person }</code>.
added-unserved-next = Ask { $maintainer } to add the chat's id to <code>telegram.chats</code> in my config.
added-privacy = { $following } In this group only commands that name me are sure to reach me, such as <code>/help@{ $me }</code>.
outside = I do not serve this chat yet. Its id is <code>{ $chat }</code>, yours is <code>{ $person }</code>.
    .next = Ask { $maintainer } to add it to my config.
guest = You are not on my list yet. Your id is <code>{ $person }</code>.
    .next = Ask { $maintainer } to add it to my config.
cannot-store = I cannot save anything right now, so nothing has happened yet.
    .next = Your message is kept. I continue with it as soon as I can.
cannot-store-press = I cannot save anything right now.
    .next = Press again in a few minutes.
absent = I was offline from { $since } to { $until }. What was sent by { $service } before { $before } may be lost.
    .next = If one of yours is missing, send it again.
faceless = I cannot see who you are: you write as an anonymous admin or as a channel.
    .next = Write as yourself.
admins-only = Only an admin can do this.
    .next = { $count ->
        [0] /whoami tells you your role.
       *[other] Ask { $people }.
    }

whoami = Your id: <code>{ $person }</code> ({ $role })
    This chat's id: <code>{ $chat }</code>
whoami-admin = admin
whoami-member = not an admin

# /why, /history
why-image = <code>{ $image }</code> · { $state }
why-asked = { $time } · { $person } asked in #{ $request }
why-undecided = There is no record of a decision on its digest.
why-waiting = Nobody has decided yet on <code>{ $digest }</code>.
why-run = { $time } · <a href="{ $url }">the run on GitHub</a> began
why-arrived = { $time } · the run copied <code>{ $digest }</code>
why-signed = { $time } · signed by { $by }, as a rule demands it
why-unchecked = { $time } · the signature by { $signer }, which a rule demands, was not checked
why-previous = { $time } · what the tag had before is kept as <code>{ $image }</code>
why-previous-refused = { $time } · what the tag had before could not be kept: { $line }
why-attached = { $time } · { $count ->
    [one] 1 signature or attestation
   *[other] { $count } signatures and attestations
} came along
why-attached-refused = { $time } · not all signatures and attestations came along: { $line }
why-pull-refused = { $time } · our registry lets nobody pull it: { $line }
why-failed = { $time } · { $cause }
why-older = { $count ->
    [one] 1 older transfer is not shown.
   *[other] { $count } older transfers are not shown.
}
why-unknown = I know of no request for <code>{ $image }</code> here.
    .next = An admin can look at all decisions in a private chat: <code>/history { $image }</code>
decision = { $time } · { $person } { $did } <code>{ $what }</code>
decision-because = { $time } · { $person } { $did } <code>{ $what }</code>: { $reason }
did-approve = approved
did-deny = denied
did-person-approve = approved
did-person-deny = rejected
did-refreshed-approve = keeps the tag fresh and so approved
did-kept-approve = approved and decided to keep fresh
did-kept-deny = decided not to keep fresh
did-floats-approve = marked as floating
did-floats-deny = marked as not floating
did-removal-approve = took out of image.list
did-removal-deny = kept in image.list
did-rollback-approve = rolled back to
did-rollback-deny = rolled back from
by-person = { $person }
by-rule = the rule <code>{ $rule }</code>
by-rules = the rules
by-registries = the list of registries
by-bot = the bot
by-nobody-known = somebody whose name is no longer kept
remove-unlisted = <code>{ $image }</code> is not in image.list.
    .next = See all: /list
remove-others = <code>{ $image }</code> is not in image.list. It has { $images }.
    .next = Name one of them exactly.
remove-unanswered = I could not read image.list: { $trouble }.
    .next = Ask again later.
removal-news = <code>{ $image }</code> left image.list, so I no longer tell you of its updates.
nodes-containerd = Run this on each node as <code>root</code>. Then containerd pulls what { $host } has by its original name.
    A private project needs a login: see <code>Authorization</code> in the file.
nodes-k3s = Put this into <code>/etc/rancher/k3s/</code> on each node and restart <code>k3s</code>. Then it pulls what { $host } has by its original name.
    A private project needs a login: see the end of the file.
nodes-flat = Our registry has flat names. No node can make them of the original ones.
    .next = Send your file to me: I send it back with the names of our registry.
rollback-none = I know of no digest that <code>{ $image }</code> had before.
    .next = To copy a digest of your choice: <code>/mirror nginx@sha256:…</code>
rollback-busy = <code>{ $image }</code> is under way already.
    .next = <code>/status { $image }</code> shows how far it is.
decisions-head = Decisions, the newest first:
decisions-head-here = Decisions on requests of this chat, the newest first:
decisions-none = There is no record of such a decision.
decisions-none-here = There is no record of such a decision on requests of this chat.
    .next = In a private chat I show the decisions of all chats.
decisions-more = Only the newest { $count } are shown.
    .next = <code>/history #41</code> or the name of an image shows fewer.
decisions-more-of-one = Only the newest { $count } are shown.
    .next = To see the others, send /history with the name of an image.
decisions-more-of-image = Only the newest { $count } are shown.

# /pause, /resume, /block, /unblock
hold-begun-pause = ⏸ I commit and start nothing until two admins send /resume.
    .next = Requests and approvals are taken as before. What is running goes on.
hold-stands-pause = I am paused already. /status shows by whom.
hold-none-pause = I am not paused.
hold-lifting-pause = One more admin has to send /resume within 10 minutes.
    .next = On the host one command is enough: <code>imageto-bot resume</code>
hold-lifted-pause = ▶️ The pause is over.
hold-begun-block = ⛔ Images that match <code>{ $pattern }</code> are denied until two admins send /unblock.
    .next = Images that wait or are approved are denied too. Lines that somebody writes into image.list by hand are not.
hold-stands-block = <code>{ $pattern }</code> is blocked already. /status shows by whom.
hold-none-block = <code>{ $pattern }</code> is not blocked. /status shows what is.
hold-lifting-block = One more admin has to send <code>/unblock { $pattern }</code> within 10 minutes.
    .next = On the host one command is enough: <code>imageto-bot unblock { $pattern }</code>
hold-lifted-block = <code>{ $pattern }</code> is no longer blocked.
status-held-pause = ⏸ { $person } has paused all commits and runs.
status-held-because-pause = ⏸ { $person } has paused all commits and runs: { $reason }
status-held-block = ⛔ { $person } has blocked <code>{ $pattern }</code>.
status-held-because-block = ⛔ { $person } has blocked <code>{ $pattern }</code>: { $reason }

# /reload
reloaded = I read my config again. Changed: <code>{ $keys }</code>.
reload-same = I read my config again: nothing changed.
    .next = If you did change it: Docker does not update a file that is mounted alone. Mount its folder.
reload-setup = The workflow follows the new rules once { $maintainer } has run <code>imageto-bot setup</code>.
reload-refused = My config is wrong, so nothing changed:
reload-mistake = <code>{ $line }</code>
reload-next = Correct it, then send /reload again.

# -- answers to commands and presses --------------------------------------------------------
approved = #{ $request }: { $count ->
    [one] 1 image approved.
   *[other] { $count } images approved.
}
rejected = #{ $request }: { $count ->
    [one] 1 image rejected.
   *[other] { $count } images rejected.
}
offer-approved = #{ $request }: { $count ->
    [one] 1 image is kept fresh.
   *[other] { $count } images are kept fresh.
} /unkeep ends that.
offer-rejected = #{ $request }: I ask about each new digest of { $count ->
    [one] 1 image.
   *[other] { $count } images.
}
removal-approved = #{ $request }: approved. It leaves image.list with the next commit.
removal-rejected = #{ $request }: rejected. It stays in image.list.
decided-line = <code>{ $image }</code>
decided-run = <code>{ $image }</code>: <code>{ $first }</code> … <code>{ $last }</code>
decided-besides = { $words } { $others }
decided-gone = Left out, since decided or changed before: { $images }.
effect-first = Your approval counts for { $images }. { $missing ->
    [one] One more admin has to approve.
   *[other] { $missing } more admins have to approve.
}
effect-twice = You have approved { $images } before, so another admin has to approve.
effect-own = Nobody but you asked for { $images }, so another admin has to approve.
effect-others = { $known ->
    [0] Your approval does not count for { $images }.
   *[other] Only { $people } can approve { $images }.
}
effect-denied = The policy does not allow { $images } any more.
    .next = Ask { $maintainer } if you need it: the policy is in my config.
decided-left = { $count ->
    [one] 1 more waits for a decision.
   *[other] { $count } more wait for a decision.
}
not-shown = Nothing was decided: the card of #{ $request } does not show { $images }.
    .next = I show the card anew. Look at it, then decide there.
key-needed = Nothing was decided: say which version of the card of #{ $request } you mean, so that nobody approves what they did not see.
command-line = <code>{ $command }</code>
issue-form-name = Mirror images
issue-form-description = Mirror images to our registry
issue-form-title = Mirror images
issue-form-images = Images
issue-form-images-help = One image on each line, such as <code>nginx:1.27</code>
issue-form-file = File
issue-form-file-help = Or a file that names them: <code>docker-compose.yml</code>, a Kubernetes manifest, <code>values.yaml</code> or a Dockerfile
stranger = Only people with a role in this repository may ask me here.
    .next = Ask { $maintainer } for one.
issue-edited = This text was edited, and an edited text starts nothing.
    .next = Write it again as a new comment.
file-too-long-for-comment = { $file } is too long for a comment on GitHub, so it is not sent back.
    .next = Put the names of the result into it, or /mirror it in two parts.
digests-head = #{ $request }: { $count ->
    [one] the digest of what waits
   *[other] the digests of what waits
}
digests-of = <code>{ $repository }</code>
digest-line = <code>{ $image }</code> <code>{ $digest }</code>
reason-asked = Choose a reason on the card.
already-approved = Already approved by { $person }.
already-rejected = Already rejected by { $person }.
already-answered = Already answered by { $person }.
already-cancelled = #{ $request } was cancelled.
    .next = /retry #{ $request } asks for it again.
already-replaced = #{ $request } was replaced by a later decision.
    .next = /retry #{ $request } asks for it again.
already-expired = #{ $request } has expired.
    .next = /retry #{ $request } asks for it again.
nothing-to-decide = #{ $request } needs no decision.
private-card-over = In <b>#{ $request }</b> nothing waits for a decision any more.
notify-on = I show you here, too, what waits for a decision: up to 10 cards at a time, with the same buttons. <code>/notify off</code> ends that.
notify-off = I show no more cards of other chats here. Those above stay until they are decided. /notify brings them back.
notify-elsewhere = Send that to me in private. I show you there what waits for a decision.
button-unknown = This button is no longer in use.
    .next = Use a newer message of mine, or /status.
no-request = There is no request #{ $request } here.
    .next = /status lists what is under way.
not-yours = #{ $request } belongs to somebody else.
    .next = Only the person who asked or an admin can do this.
too-late = It is too late to cancel #{ $request }.
    .next = It is being copied, or has ended. /status #{ $request } shows which.
cancelled = #{ $request }: { $count ->
    [one] 1 image cancelled.
   *[other] { $count } images cancelled.
}{ $going ->
    [0] { "" }
    [one] {" "}1 more is being copied already.
   *[other] {" "}{ $going } more are being copied already.
}
nothing-to-retry = There is nothing in #{ $request } to retry.
    .next = /status #{ $request } shows what became of it.

status-nothing = Nothing of yours is under way here. Send /mirror and the name of an image.
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
   *[other] , { $due } due for a check
}.
status-trouble = Problem now: { $trouble }
status-failed = Last failure: <code>{ $image }</code>, { $cause }, { $time }
status-row = #{ $request } · <code>{ $image }</code>{ $more ->
    [0] { "" }
   *[other] {" "}and { $more } more
} · { $state } · { $over } of { $count } finished{ $waiting ->
    [0] { "" }
   *[other] , { $waiting } waiting for an admin
} · { $person }
state-checking = being looked up
state-waiting = waits for an admin
state-approved = in the queue
state-submitted = in the queue
state-copying = being copied
state-verifying = being checked
state-mirrored = mirrored
state-kept = kept fresh
state-removed = out of image.list
state-failed = failed
state-rejected = rejected
state-expired = expired
state-replaced = replaced
state-cancelled = cancelled
status-more = … and { $count } more.
status-unknown = I know of no request for <code>{ $image }</code> here.
    .next = To ask for it: <code>/mirror { $image }</code>
history-opened = Asked for: { $time }
history-asked = #{ $request } by { $person }
history-approved = Approved by { $person }: { $time }
history-approved-by-policy = Approved by the policy: { $time }
history-run = <a href="{ $url }">The run on GitHub</a>
history-ended = Ended: { $time }

# -- looking without mirroring --------------------------------------------------------------
lookup-head = 🔎 <code>{ $image }</code>
lookup-denied = <code>{ $image }</code>: { $reason }
lookup-refused = The source cannot be asked: { $line }
    .next = Ask { $maintainer } to look at that registry.
lookup-missing = Not found at the source (missing, or private).
    .next = Check the name and the tag.
lookup-digest = Digest: <code>{ $digest }</code>
lookup-platforms = Platforms: { $platforms }
lookup-size = Size: { $size }
lookup-created = Built: { $time } ({ $days ->
    [0] today
    [one] yesterday
   *[other] { $days } days ago
})
lookup-target-same = ✅ Our registry has exactly the same:
lookup-target-other = ♻️ Our registry holds another digest under this tag, probably an older one:
lookup-target-only = 📦 Our registry still has it:
lookup-scan = 🛡 Its scanner found { $critical } critical, { $high } high, { $medium } medium, { $low } low and { $other } other vulnerabilities: <a href="{ $url }">the page in Harbor</a>
lookup-scan-clean = 🛡 Its scanner found no vulnerabilities: <a href="{ $url }">the page in Harbor</a>
lookup-target-none = Our registry does not have it.
lookup-target-unreadable = I cannot read our registry right now.
lookup-begun = { $registry } is out of my reach, so GitHub looks up <code>{ $image }</code> for me. That takes about a minute.
lookup-unanswered = I could not look it up: { $trouble }.
    .next = Try again later.
lookup-by-run-unanswered = GitHub did not look it up: { $trouble }.
    .next = Try again later.
list-head = { $count ->
    [one] image.list holds 1 image:
   *[other] image.list holds { $count } images:
}
list-head-text = { $count ->
    [one] image.list holds 1 image with “{ $text }” in it:
   *[other] image.list holds { $count } images with “{ $text }” in them:
}
list-line = <code>{ $image }</code>
list-fact = { $line } · { $fact }
list-asked = { $person }, { $time }
list-fresh-kept = 🌱 kept fresh
list-fresh-asked = 🌱 updates are asked about
list-fresh-gone = 🕳 gone upstream
list-empty = image.list is empty.
    .next = Add to it with /mirror.
list-none = No image in image.list has “{ $text }” in its name.
    .next = /list shows them all.
list-unanswered = I could not read image.list: { $trouble }.
    .next = Try again later.
unused-unknown = I do not know what your clusters use.
    .next = Send <code>/list unused</code> with a list of images below it, or as a file.
unused-head = { $count ->
    [0] All { $listed } images in image.list are in use.
    [one] 1 of { $listed } images in image.list is in use nowhere:
   *[other] { $count } of { $listed } images in image.list are in use nowhere:
}
unused-clusters = Known: { $clusters }.
unused-cluster = { $name } ({ $time }, { $count } images)
unused-line = <code>{ $image }</code> ({ $count }): { $tags }
unused-more = … and { $count } more repositories.
unused-kept = I deleted nothing. /remove takes an image out of image.list.
unused-missing = { $count ->
    [one] 1 image is in use and new to image.list. The next message offers it.
   *[other] { $count } images are in use and new to image.list. The next message offers them.
}
unused-unanswered = I could not compare image.list: { $trouble }.
    .next = Ask again later.
outdated-head = { $count ->
    [one] 1 image differs from its source:
   *[other] { $count } images differ from their sources:
}
outdated-line = ♻️ <code>{ $image }</code>: <code>{ $old }</code> → <code>{ $new }</code>
outdated-version = ⚠️ <code>{ $image }</code>: <code>{ $old }</code> → <code>{ $new }</code>. A version should not change: ask its publisher before you /mirror it again.
outdated-new = 📦 <code>{ $image }</code>: not in our registry yet
outdated-more = … and { $count } more.
outdated-none = { $count ->
    [0] Nothing could be compared.
    [one] ✅ The image that I compared is the same at its source.
   *[other] ✅ The { $count } images that I compared are the same at their sources.
}
outdated-fixed = { $count ->
    [one] That image is listed by its digest, which never changes.
   *[other] Those { $count } images are listed by their digests, which never change.
}
outdated-vanished = { $count ->
    [one] 1 image is no longer at its source (removed, or private). Our copy stays.
   *[other] { $count } images are no longer at their sources (removed, or private). Our copies stay.
}
outdated-untold = { $count ->
    [one] 1 image could not be compared: a registry did not answer. Ask again later.
   *[other] { $count } images could not be compared: registries did not answer. Ask again later.
}
outdated-cut-off = { $count ->
    [one] 1 image could not be compared, since I cannot reach its registry myself. I do not keep it fresh either. /lookup has GitHub look.
   *[other] { $count } images could not be compared, since I cannot reach their registries myself. I do not keep them fresh either. /lookup has GitHub look.
}
outdated-cut = I compared the first { $count } of { $listed }.
    .next = A word of the names narrows it down, such as <code>/outdated grafana</code>.
outdated-unanswered = I could not read image.list: { $trouble }.
    .next = Try again later.

# -- updates upstream -----------------------------------------------------------------------
news-head = { $count ->
    [one] An image was updated upstream, and our registry has it now:
   *[other] { $count } images were updated upstream, and our registry has them now:
}
news-alarm = { $people }: you watch this or asked for it, and our registry has it now: { $images }.
news-for = { $people }: you watch this or asked for it.
gone-head = { $count ->
    [one] 🕳 Gone upstream for a day, while its source answered for others. Ours is the last copy that I know of:
   *[other] 🕳 Gone upstream for a day, while their sources answered for others. Ours are the last copies that I know of:
}
gone-stays = What is gone stays in image.list and in our registry, where a retention rule may still delete it. It may also be private now.
gone-line = • <code>{ $image }</code>
gone-line-since = • <code>{ $image }</code>, not there since { $time }
gone-back-head = { $count ->
    [one] 🌱 There again upstream:
   *[other] 🌱 There again upstream, { $count } images:
}
gone-for = { $people }: you are an admin, watch this, or asked for it.
watching = When <code>{ $image }</code> is updated upstream, I tell you here as soon as our registry has the new one.
watch-unlisted = Only the images in image.list are kept fresh, and I have not seen this one there yet. To add it: <code>/mirror { $image }</code>
watch-head = { $count ->
    [one] You watch 1 image:
   *[other] You watch { $count } images:
}
watch-none = You watch no image.
    .next = With <code>/watch nginx:1.27</code> I tell you when that image is updated upstream.
watch-limit = <code>{ $image }</code>: you can watch { $number } images, and you do.
    .next = <code>/watch</code> lists yours, /unwatch ends one.
watch-off = Images are not kept fresh here, so I would have nothing to tell.
    .next = Ask { $maintainer } to set <code>fresh</code> in my config. /outdated shows what differs now.
watch-fixed = <code>{ $image }</code> is named by its digest, which never changes.
    .next = Watch a tag, such as <code>/watch nginx:1.27</code>.
following = When a version of <code>{ $image }</code> in <code>{ $range }</code> is out, I tell this chat. I look once a day, and now.
follow-first = <code>{ $image }</code> is the newest in <code>{ $range }</code> now. I tell you when there is a newer one.
follow-useless = <code>{ $image }</code>, <code>{ $range }</code>: { $why }. I look again once a day.
    .next = /follow lists what this chat follows, /unfollow ends one.
follow-out-of-reach = its registry is out of my reach, and GitHub looks at single images alone
follow-missing = the registry lists no tags of it
follow-too-long = the list of tags is too long to be sure of the newest
follow-unclear = no tag is surely the newest
follow-unread = not listed yet
follow-known = newest: <code>{ $tag }</code>
follow-head = { $count ->
    [one] This chat follows 1 range of versions:
   *[other] This chat follows { $count } ranges of versions:
}
follow-line = • <code>{ $image }</code> <code>{ $range }</code> · { $state }
follow-none = This chat follows nothing.
    .next = With <code>/follow nginx 1.27.x</code> I tell it of newer versions. <code>^1.27</code>, <code>~1.27</code> and <code>1.27.x-alpine</code> are ranges too.
follow-no-range = Which versions?
    .next = Add a range, such as <code>/follow nginx 1.27.x</code>, <code>^1.27</code>, or <code>1.27.x-alpine</code> for one variant.
follow-limit = A person can follow { $number } ranges, and a chat 100. One of both is reached.
    .next = /follow lists those of this chat, /unfollow ends one.
unfollowed = I no longer tell this chat of newer versions of <code>{ $image }</code>.
unfollow-none = This chat does not follow that of <code>{ $image }</code>.
    .next = /follow lists what it follows.
follow-news = { $count ->
    [one] 🆕 A newer version is out:
   *[other] 🆕 { $count } newer versions are out:
}
follow-news-line = <code>{ $image }</code> is out{ $before } · <code>{ $digest }</code>{ $size }
follow-before = {" "}· before: { $tag }
follow-size = {" "}· { $size }
button-take = Mirror { $image }
button-ask-for = Ask for { $image }
button-admit = Approve { $image }
button-follow = 🆕 Follow newer versions
follow-begun = This chat follows { $count ->
    [one] 1 image. /follow lists it.
   *[other] { $count } images. /follow lists them.
}
follow-taken = Asked for already: #{ $request }
follow-approved = Approved. #{ $request } shows how it goes.
unwatched = I stop telling you about <code>{ $image }</code>.
status-keeper = Kept fresh by { $person }: new digests need no approval. /unkeep ends that.
status-floater = Its tag floats, as { $person } said. /unkeep ends that.
unkept = New digests of <code>{ $image }</code> are decided by the rules again.
unkeep-none = No admin keeps <code>{ $image }</code> fresh or has said that its tag floats.
unkeep-before = That has ended already.
kept-head = { $count ->
    [one] 1 tag is kept fresh or marked as floating. Tap it to end that:
   *[other] { $count } tags are kept fresh or marked as floating. Tap one to end that:
}
kept-head-here = { $count ->
    [one] 1 tag of this chat is kept fresh or marked as floating. Tap it to end that:
   *[other] { $count } tags of this chat are kept fresh or marked as floating. Tap one to end that:
}
kept-fresh = 🌱 <code>{ $image }</code> · kept fresh by { $people } since { $time }
kept-fresh-idle = 💤 <code>{ $image }</code> · kept fresh by { $people } since { $time }, without effect: its rule wants more admins
kept-floating = 🌊 <code>{ $image }</code> · marked as floating by { $people } since { $time }
kept-none = No tag is kept fresh or marked as floating by an admin.
    .next = Alarms about updated images have buttons for that.
kept-none-here = No tag of this chat is kept fresh or marked as floating by an admin.
    .next = In a private chat I show those of all chats.
decided-kept = New digests need no approval from now on. /unkeep ends that.
held-why = Why should it go on before its time? I keep the reason.
    .next = Send <code>/approve #{ $request }</code> and the reason.
decided-floats = The tag floats from now on: the rules decide on new digests. /unkeep ends that.
unwatch-none = You do not watch <code>{ $image }</code>.
    .next = <code>/watch</code> lists what you watch.

# -- lines of image.list that were written by hand ------------------------------------------
hand-written-asked = { $count ->
    [one] Somebody wrote a line into image.list by hand. The rules ask an admin about it, but the workflow copies it anyway:
   *[other] Somebody wrote { $count } lines into image.list by hand. The rules ask an admin about them, but the workflow copies them anyway:
}
hand-written-denied = { $count ->
    [one] Somebody wrote a line into image.list by hand that the rules deny. The workflow does not copy it:
   *[other] Somebody wrote { $count } lines into image.list by hand that the rules deny. The workflow does not copy them:
}
hand-written-line = ✏️ <code>{ $image }</code>
hand-written-next = If you do not want that, remove what was written, and add a rule to my config that denies it.

# -- what only the maintainer can mend ------------------------------------------------------
defects-call = { $maintainer }, this needs you:
defect-github-token = GitHub does not accept my token any more. Until it does, nothing is copied.
    .next = Make a new token, write it into GITHUB_TOKEN and restart me.
defect-github-expiry = My token for GitHub expires soon.
    .next = Make a new one in time, write it into GITHUB_TOKEN and restart me.
defect-source-login = <code>{ $where }</code> does not accept my login any more.
    .next = Renew it in SOURCE_AUTH, run imageto-bot setup and restart me.
defect-target-login = Our registry does not accept the login any more. Until it does, nothing is copied.
    .next = Robot accounts expire. Renew HARBOR_USER and HARBOR_PWD, run imageto-bot setup and restart me.
defect-target-expiry = The login at our registry expires soon.
    .next = Renew it in Harbor. If its password changes, renew HARBOR_PWD, run imageto-bot setup and restart me.
defect-quota = The project <code>{ $where }</code> of our registry is nearly full.
    .next = Raise its quota, or let Harbor delete old tags by a retention policy.
defect-full = Our registry takes no more images: a quota is used up.
    .next = Raise it, or delete images that nobody needs. People can send /retry then.
defect-workflow-missing = The workflow is missing in the mirror repository, so nothing is copied.
    .next = Run imageto-bot setup.
defect-workflow-off = The workflow is switched off at GitHub, so nothing is copied.
    .next = Enable it on the Actions page of the mirror repository.
defect-workflow-differs = The workflow in the mirror repository is not the one that I ship, so nothing is copied.
    .next = Run imageto-bot setup.
defect-runner = A run has been waiting for a runner for more than 15 minutes.
    .next = Check that the runner is online, and that the run does not wait for an approval at GitHub.
defect-statements = Our registry does not take my statements. The images are mirrored all the same.
    .next = Give it room, or take the tags <code>sha256-*</code> out of its immutability rules.
defect-until = It ends at { $time }.
defect-used = { $used } of { $quota } are used.
defect-run = { $url }
defect-line = It says: { $line }

# -- mistakes: why a text is no image -------------------------------------------------------
problem-empty = there is nothing there
problem-blank = an image's name has no spaces or line breaks
problem-character = it holds a character that an image's name cannot have
problem-uppercase = the repository has to be in lower case
problem-bare-id = that is the id of an image, not its name
problem-too-long = the name is longer than 255 characters
problem-ipv6-host = a registry by IPv6 address cannot be mirrored: use its name
problem-no-domain = it begins like a registry's name but is not one
problem-host = the registry's name is not a valid host
problem-tag = the tag is not valid
problem-digest = the digest is not valid
problem-variable = it holds a variable without a default, so I cannot know what it will be
problem-no-tag = no tag is given there, so I cannot know which one is meant
problem-chart-version = that is a chart without a version. Add <code>--version</code>
problem-registry = no registry is given there, so I cannot know the full name
problem-passed-over = not read as an image
problem-unread-file = I could not read this file
problem-empty-file = I found no image in this file
problem-malformed = images are not written like that

mistake-invisible = there are invisible characters in it
mistake-web-page = that is the address of a web page
mistake-source-page = that is a page of source code, and the image may have another name
mistake-command-line = that is a command line
mistake-quotes = leave the quotes out
mistake-scheme = an image has no https:// in front
mistake-full-width = there are full-width characters in it
mistake-blank = there is a space in it
mistake-mirror-prefix = that is its name at another mirror, and I need the name at the source
mistake-target-prefix = that is its name in our registry, and I need the name at the source
mistake-uppercase = the repository has to be in lower case
mistake-punctuation = there is punctuation around it
mistake-slash-for-colon = the tag comes after a colon
mistake-tag-joined = the tag comes after a colon
mistake-wrong-library = only official images of Docker Hub have library/

# imageto-bot init: said in the chat where somebody sends the code
init-met = Thank you. Please go on at the terminal.
init-faceless = I cannot see who you are.
    .next = Turn off “Remain anonymous” and send the new code that the terminal shows.
init-not-here = Please send this in the group that I shall serve.
