# 机器人说的每一句话，简体中文。标记只用 Telegram 的 HTML 模式认得的那些。
# 花括号里的值在传进来之前已经转义。键、变量、标记与 en.ftl 一一对应，由测试保证。
#
# 用词（全文统一）：
#   image 镜像 · tag 标签 · digest 摘要 · manifest 清单 · platform 平台
#   registry 镜像仓库 · source 上游 · target 我们的镜像仓库 · project 项目 · quota 配额
#   mirror 同步 · mirror repository 同步仓库（GitHub 上放 image.list 的那个）
#   request 请求 · approve 批准 · reject 驳回 · cancel 取消 · policy 策略
#   admin 管理员 · maintainer 维护者 · workflow 工作流 · run 运行 · commit 提交
# 行文：称呼用“你”；中文句子用全角标点，中文与西文、数字之间空一格。

# -- the card -----------------------------------------------------------------------------
card-head = <b>#{ $request }</b> { $person } 请求同步 { $count } 个镜像  { $bar } { $over }/{ $count }
card-head-updated = ⚠️ <b>#{ $request }</b>：列表中有 { $count } 个镜像与上游不一致  { $bar } { $over }/{ $count }
card-head-offer = 🌱 <b>#{ $request }</b>：列表中有 { $count } 个镜像以前不经审批就保持更新  { $bar } { $over }/{ $count }
card-offer = 升级后，按规则它们的每个新摘要都要管理员审批。要像以前一样保持更新吗？
    { $time } 之前暂缓它们的更新。到时仍无人答复，就每次都审批。
card-head-removal = 🗑 <b>#{ $request }</b>（{ $person }）：移出 image.list  { $bar } { $over }/{ $count }
card-removal = 批准后，它的行会从 image.list 里删掉，不再保持更新，也不再通知它的更新。我们的镜像仓库里已有的内容不受影响。
card-version-updated = { $count ->
    [1] 版本标签不应该变，镜像可能被替换过。批准前请先向发布者确认。只同步这里显示的摘要。
   *[other] 版本标签不应该变，这些镜像可能被替换过。批准前请先向发布者确认。只同步这里显示的摘要。
}
card-approved-by = { $people } 已批准。
card-signed = 🔏 由 { $by } 签名：{ $images }
card-unchecked = ⚠️ 签名未检查（规则要求 { $signer } 的签名）：{ $images }
card-deciders = 可以审批的管理员：{ $people }。
card-held = 到时标签的摘要没有变，就自动继续。管理员可以让它现在继续：<code>/approve #{ $request }</code> 加理由。
card-cancelled = 已取消。
card-changed = #{ $request } 的卡片在这之前已经变了，这次没有生效。
    .next = 我会重新显示卡片，看过之后再决定。
waiting-others = 另有 { $count } 个待审批，在其他页上。
waiting-reason = { $person } 要驳回 { $count } 个镜像，理由是？可以选一条，也可以回复这条消息：<code>/reject</code> 加理由。
card-folded = ……另有 { $count } 个{ $mirrored ->
    [0] { "" }
   *[other] {" "}· { $mirrored } 个已同步
}{ $going ->
    [0] { "" }
   *[other] {" "}· { $going } 个进行中
}{ $waiting ->
    [0] { "" }
   *[other] {" "}· { $waiting } 个待审批
}{ $failed ->
    [0] { "" }
   *[other] {" "}· { $failed } 个未同步
}
card-untagged = { $count ->
    [1] { $images } 没写标签，按 <code>latest</code> 处理。
   *[other] { $images } 没写标签，都按 <code>latest</code> 处理。
}
card-joined = { $images } 已在处理中（#{ $request }，{ $person } 的请求），完成后也会通知你。
maintainer-unnamed = 维护者
maintainer-named = {" "}{ $name }{" "}
maintainer-linked = {" "}<a href="person:{ $id }">{ $name }</a>{" "}
person-linked = <a href="person:{ $id }">{ $name }</a>
admin-linked = <a href="person:{ $id }">管理员</a>
announcement = { $count ->
    [1] { $requests } 等待管理员审批。
   *[other] 有 { $count } 个请求等待管理员审批：{ $requests }。
}
announcement-call = { $admins }：请在卡片上审批，发 /status 可以查看所有待审批的请求。
announcement-expiry = 如果无人审批，{ $request } 将在 { $time } 过期。
announcement-over = 这里已经没有等待审批的请求。
announcement-replaced = 待审批的请求请看我后面的新消息。
images = { $images }
plain = { $text }
images-also = { $images }、{ $image }
images-more = { $images } 和另外 { $more } 个

line-checking = 🔎 <code>{ $image }</code> · { $shape }{ $note }
line-waiting = ⏳ <code>{ $image }</code> · { $shape }{ $note }
line-waiting-short = ⏳ <code>{ $image }</code> <code>{ $digest }</code>
line-waiting-run = ⏳ <code>{ $image }</code>：<code>{ $first }</code> 至 <code>{ $last }</code> · { $count } 个镜像 · { $who }
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

note-checking = 查询中
note-held = <code>{ $digest }</code> · { $time } 之前暂缓：按规则，它的摘要还太新
note-waiting = 等待管理员审批
note-waiting-digest = <code>{ $digest }</code> · { $who }
waits-for-several = 等待 { $needed } 位管理员审批
waits-for-more = 已批准 { $given }/{ $needed }：{ $people }
waits-differing = 各镜像的批准人不同
note-waiting-rejected = <code>{ $digest }</code>，这个摘要曾被管理员驳回，{ $who }
note-waiting-rollback = 从 <code>{ $old }</code> 回滚到 <code>{ $new }</code>，{ $who }
note-removal-approved = { $person } 已批准，等它的其他请求结束后随下一次提交移出
note-removal-submitted = { $person } 已批准，正在提交
note-removal-removed = 已移出 image.list，由 { $person } 批准
note-waiting-updated = <code>{ $old }</code> → <code>{ $new }</code>，{ $who }
note-approved = 已批准，排队中{ $ahead ->
    [0] { "" }
   *[other] （前面还有 { $ahead } 个镜像）
}
note-approved-by-policy = 按策略自动批准，排队中{ $ahead ->
    [0] { "" }
   *[other] （前面还有 { $ahead } 个镜像）
}
note-submitted = 已提交，等待运行启动{ $ahead ->
    [0] { "" }
   *[other] （前面还有 { $ahead } 个镜像）
}
note-put-off = { $registry } 的拉取额度已用完，{ $time } 继续
note-put-off-hub = Docker Hub 的拉取额度已用完，{ $time } 继续
note-resumes = { $cause }，{ $time } 自动重试
note-run-queued = 在 GitHub 排队中，还没有运行器接手，<a href="{ $url }">查看运行</a>
note-copying = 同步中，已用 { $time }，<a href="{ $url }">查看运行日志</a>
note-verifying = 已推送，正在校验
note-identical = 已经存在，摘要一致
note-see-answer = 未同步，详见回复
note-mirrored = 已同步，摘要校验通过
note-mirrored-by-run = 运行显示已同步（我读不到我们的镜像仓库）
note-rejected = 被 { $person } 驳回
    .next = 原因请问 { $person }，沟通好之后发 /retry #{ $request } 重新申请。
note-rejected-because = 被 { $person } 驳回：{ $reason }
    .next = 确实需要的话，请联系 { $person }，再发 /retry #{ $request } 重新申请。
note-expired = 一直无人审批，已过期
    .next = 提醒一下管理员，再发 /retry #{ $request }。
note-replaced = 已被取代：#{ $by } 会同步这个标签的另一个摘要
    .next = 仍然需要的话，发 /retry #{ $request }，我会重新查询并重新审批。
note-replaced-by-update = 已被取代：这个标签的另一个摘要已获批准
    .next = 仍然需要的话，发 /retry #{ $request }，我会重新查询并重新审批。
note-kept = { $person } 让它保持更新
note-not-kept = { $person } 要求每个新摘要都审批
note-offer-expired = 无人答复，每个新摘要都要审批
note-cancelled = 已取消
note-trouble = { $trouble }，已试 { $tries } 次，正在重试
note-trouble-until = { $trouble }，已试 { $tries } 次，{ $time } 再试
trouble-silent = { $who } 没有回应
trouble-unreachable = 连不上 { $who }
trouble-busy = 请求太多，{ $who } 正在限流
trouble-faulty = { $who } 内部出错
trouble-unreadable = { $who } 返回的内容无法识别
trouble-locked-out = { $who } 不再接受我的令牌，需要{ $maintainer }更换
trouble-outdated = 同步仓库里的工作流与我自带的不一致，需要{ $maintainer }运行 imageto-bot setup
trouble-paused = 管理员已暂停，发 /status 查看原因
trouble-contested = image.list 一直有别人在改
trouble-behind = { $who } 还看不到新镜像
trouble-looking = 正由 GitHub 代为查看
trouble-other = { $line }

denied = 策略不允许同步
    .next = 确实需要的话，请联系{ $maintainer }，策略写在我的配置里。
denied-because = 策略不允许同步：{ $reason }
    .next = 确实需要的话，请联系{ $maintainer }，策略写在我的配置里。
denied-registry = 不允许从 { $registry } 同步
    .next = 允许的镜像仓库：{ $registries }。需要其他的，请{ $maintainer }加到我的配置里。
nothing-started = 没有开始任何同步。

shape = { $platforms ->
    [0] { "" }
   *[other] { $platforms } 个平台 ·{ " " }
}
shape-sized = { $platforms ->
    [0] { $size } ·{ " " }
   *[other] { $platforms } 个平台，{ $size } ·{ " " }
}
size-b = { $amount } B
size-kb = { $amount } kB
size-mb = { $amount } MB
size-gb = { $amount } GB
time-seconds = { $count } 秒
time-minutes = { $count } 分钟
time-hours = { $count } 小时

button-approve = ✅ 批准
button-approve-these = ✅ 批准这 { $count } 个
button-keep = { $count ->
    [1] ✅ 批准并保持更新
   *[other] ✅ 批准这 { $count } 个并保持更新
}
button-offer = { $count ->
    [1] 🌱 保持更新
   *[other] 🌱 全部保持更新
}
button-offer-these = 🌱 这 { $count } 个保持更新
button-ask = ❓ 每次都审批
button-ask-these = ❓ 这 { $count } 个每次都审批
button-removal = 🗑 批准
button-stay = ❌ 驳回
button-floats = { $count ->
    [1] ✅ 批准，这是浮动标签
   *[other] ✅ 批准，这 { $count } 个是浮动标签
}
button-reject = ❌ 驳回
button-reject-these = ❌ 驳回这 { $count } 个
button-reason = ❌ { $reason }
button-no-reason = ❌ 不写理由
button-digests = 🔎 完整摘要
button-back = ↩️ 返回
button-unkeep = ✖️ { $image }
button-copy = 📋 复制
button-copy-one = 📋 { $image }
button-copy-part = 📋 { $first }–{ $last }
button-copy-all = 📋 全部复制
button-all = ✅ 同步全部 { $count } 个
button-choose = ☑️ 挑选
button-chosen = ✅ 同步 { $count } 个
button-tick = { $ticked ->
    [1] ☑️
   *[other] ⬜
} { $image }
button-page = 第 { $page }/{ $pages } 页
button-drop = ✖️ 取消
button-yes = ✅ 对，同步它
button-mirror-it = ✅ 同步它
button-update = ♻️ { $image }
button-meant = ➡️ { $image }
button-digest-alone = { $count ->
    [1] 只要这个摘要
   *[other] { $image }：只要这个摘要
}
button-tag-now = { $image } 现在的版本
button-retry = 🔁 重试
button-form = { $on ->
    [1] •{" "}
   *[other] { "" }
}{ $form }
form-docker = docker
form-containerd = containerd
form-kubernetes = Kubernetes

# -- drafts: what was found, before anything is done --------------------------------------
draft-head = <b>#{ $request }</b> { $person }，找到 { $count } 个镜像。
draft-head-file = <b>#{ $request }</b> { $person }，在 <code>{ $file }</code> 里找到 { $count } 个镜像。
draft-head-files = <b>#{ $request }</b> { $person }，在 <code>{ $file }</code> 和另外 { $more } 个文件里找到 { $count } 个镜像。
draft-asks = { $head }{ $count ->
    [1] 要同步吗？
   *[other] 都要同步吗？
}
draft-line = ▫️ <code>{ $image }</code>
draft-more = ……另有 { $count } 个。
draft-choosing = 点一下去掉镜像，再点一下加回来。
draft-expired = 一天内无人确认，这份草稿已作废。
    .next = 还需要的话，用 /mirror 再发一次。
draft-dropped = #{ $request }：已取消，没有开始任何同步。
draft-confirmed = #{ $request } 已经在处理了。
    .next = 发 /status #{ $request } 查看进度。
draft-over = #{ $request } 已经取消了。
    .next = 还需要的话，用 /mirror 再发一次。
draft-unconfirmed = #{ $request } 还是草稿。
    .next = 要等 { $person } 先确认。
draft-most = 后面还有，但我只取前 { $count } 个镜像。
draft-cut-text = ⚠️ Telegram 会把长文本拆成几条消息。如果你的内容还没完，后面的部分我没有收到。
    .next = 请存成文件发，或者私聊发给我。
draft-cut-text-private = ⚠️ Telegram 会把长文本拆成几条消息。如果你的内容还没完，后面的部分我没有收到。
    .next = 请存成文件发。
draft-cut-album = ⚠️ 你一次发了几个文件，我只收到这一个。
    .next = 请把其他文件逐个发过来，说明里都写 /mirror，或者私聊一起发给我。
draft-cut-album-private = ⚠️ 你一次发了几个文件，我只收到这一个。
    .next = 请重新一起发一遍。
draft-cut-long = ⚠️ 后面还有，但超过了我一次能收的长度。
    .next = 请把全部内容存成文件发。
draft-arriving = #{ $request } 的后续内容正在到达，还没有开始。
    .next = 我会重新显示，看过之后再点。
draft-empty = #{ $request } 一个镜像都没勾选。
    .next = 至少勾选一个。
draft-page = { $pages ->
    [1] 不要哪个，点一下就行。
   *[other] 第 { $page }/{ $pages } 页
}
draft-ticked = 共 { $count } 个，勾选了 { $chosen } 个
confirmed = 收到，开始处理 { $count } 个镜像。
going-on = #{ $request } 继续处理 { $count } 个镜像。
already-taken = #{ $request } 已经换成另一个镜像在处理了。
    .next = 这个也要的话，用 /mirror 发给我。
wanted = 收到，这就处理。
form-shown = 已换成 { $form } 的写法。
form-already = 已经是 { $form } 的写法了。

unknown-command = 没有 <code>/{ $command }</code> 这个命令。
    .next = 发 /help 查看所有命令。
nothing-found = 这里面没找到镜像。
    .next = 这样写：<code>/mirror nginx:1.27</code>
nothing-found-file = <code>{ $file }</code> 里没找到镜像。
    .next = 直接用文字发镜像，例如 <code>/mirror nginx:1.27</code>
file-too-large = <code>{ $file }</code> 太大了，我最多读 { $limit } MiB 的文件。
    .next = 请拆成几份，或者直接用文字发镜像。
file-too-deep = <code>{ $file }</code> 嵌套太深，或者自我引用太多。
    .next = 请直接用文字发镜像。
file-too-many = <code>{ $file }</code> 里的镜像太多，一次处理不完。
    .next = 请拆成几个文件。
text-too-large = 这段内容太长了。
    .next = 请分几次发，或者只发镜像名。
text-too-deep = 这段内容嵌套太深，我读不了。
    .next = 请只发镜像名。
text-too-many = 镜像太多，一次处理不完。
    .next = 请分几次发。
file-not-text = <code>{ $file }</code> 不是我能读的文本文件。
    .next = 请直接用文字发镜像。
file-broken = <code>{ $file }</code> 格式有误，里面也没找到镜像。
    .next = 检查一下文件，或者直接用文字发镜像。
file-gone = 没能从 Telegram 取到 <code>{ $file }</code>。
    .next = 请再发一次。

# -- the result ---------------------------------------------------------------------------
result-all = 同步完成，{ $done }/{ $count }：
result-some = 部分完成，{ $done }/{ $count }：
result-removed = 已移出 image.list：
result-not-removed = 仍在 image.list 里：
result-ask-again = 要重新申请，发 <code>/remove { $image }</code>
result-none = { $count ->
    [1] 未同步：
   *[other] { $count } 个镜像都未同步：
}
pull = <code>{ $command }</code>
pull-more = ……另有 { $count } 条。
result-charts = chart 本身不包含镜像。需要{ $count ->
    [1] 其中的镜像
   *[other] 第一个 chart 的镜像
}的话，把这条命令的输出发给我：<code>{ $command }</code>
result-there = 已经存在且摘要一致：{ $images }{ $count ->
    [1] { "" }
   *[other] （共 { $count } 个）
}
result-previous = 标签原来的摘要另存为：{ $images }
result-previous-refused = 标签原来的摘要没能另存：{ $images }
    .next = 发 /why 加上镜像名，可以查看原因。
result-pull-refused = { $images } 目前无法拉取：{ $line }
    .next = 请维护者检查我们的镜像仓库。
result-attached = 附带 { $count } 份签名和证明。
result-attached-refused = 签名和证明没能全部带上：{ $images }
    .next = 发 /why 加上镜像名，可以查看原因。
returned = #{ $request } 的文件改好了，镜像已换成我们的镜像仓库里的地址。
returned-nothing = <code>{ $file }</code> 里的镜像无法自动替换，否则会改到别的内容。
    .next = 请把上面的地址手动写进文件。
returned-others = 未同步、保持原样的：{ $images }
returned-fixed = 需要手动改的：{ $images }{ $count ->
    [1] { "" }
   *[other] （共 { $count } 个）
}
returned-passed = 没有当作镜像处理的地方（行号和键）：{ $places }

# -- failures: the cause, and what to do next ------------------------------------------------
failure-missing = 上游没有这个镜像（不存在，或未公开）
    .next = 核对一下名称和标签，再用 /mirror 发一次。
failure-missing-meant = 上游没有这个镜像。你要的是不是 <code>{ $image }</code>？
    .next = 点一下你要的那个，或者用 /mirror 发正确的名称。
failure-other-digest = 上游的这个标签现在指向另一个摘要
    .next = 请选择：只要这个摘要（在我们的镜像仓库里没有标签），或者这个标签现在的版本。
failure-other-digest-alone = 上游有这个摘要，但没有这个标签
    .next = 如果只要这个摘要，点一下按钮。它在我们的镜像仓库里没有标签。
failure-digest-gone = 上游已经没有获批的那个摘要了
    .next = 发 /retry #{ $request }，我会重新查询，需要审批的会重新审批。
failure-unsigned = 没有规则要求的签名：{ $line }
    .next = 请镜像的发布者补上签名，再发 /retry #{ $request }。如果不会有这个签名，请{ $maintainer }修改规则。
failure-source-login = 上游要求登录（也可能没有这个镜像）
    .next = 先核对名称。没错的话，请{ $maintainer }为该上游配置登录（Secret SOURCE_AUTH），再发 /retry #{ $request }。
failure-rate-limited = 拉取太频繁，暂时被上游限流
    .next = 已经重试了几个小时。稍后发 /retry #{ $request }，或请{ $maintainer }配置登录提高限额（Secret SOURCE_AUTH）。
failure-put-off = 一天之内上游的拉取额度都不够用
    .next = 稍后发 /retry #{ $request }，或请{ $maintainer }配置登录提高限额（Secret SOURCE_AUTH）。
failure-source-refused = 上游无法使用：{ $line }
    .next = 请{ $maintainer }检查这个上游，再发 /retry #{ $request }。
failure-source-broken = 镜像在上游已损坏：{ $line }
    .next = 换一个标签，或者告诉镜像的发布者。
failure-target-refused = 我们的镜像仓库无法使用：{ $line }
    .next = 请{ $maintainer }检查我们的镜像仓库，再发 /retry #{ $request }。
failure-target-busy = 我们的镜像仓库暂时不再接受请求（限流）
    .next = 稍后发 /retry #{ $request }。如果还是不行，请{ $maintainer }检查我们的镜像仓库。
failure-target-login = 我们的镜像仓库拒绝了推送（账号或权限问题）
    .next = 请{ $maintainer }检查 HARBOR_USER、HARBOR_PWD（机器人账户会过期）和推送权限，再发 /retry #{ $request }。
failure-target-project = 我们的镜像仓库里没有能放这个镜像的项目
    .next = 请{ $maintainer }建好项目（不能是代理缓存项目），再发 /retry #{ $request }。
failure-target-quota = 我们的镜像仓库里这个项目的配额用完了
    .next = 请{ $maintainer }调高项目配额，再发 /retry #{ $request }。
failure-immutable = 我们的镜像仓库里这个标签已指向另一个镜像，且不允许改动
    .next = 换一个标签，或者请{ $maintainer }调整标签不可变规则。
failure-platform = 这个镜像没有所需的平台
    .next = 别的标签可能有：先到上游看看，再用 /mirror 发一次。
failure-too-large = 太大了，我们的镜像仓库或执行同步的机器放不下
    .next = 请{ $maintainer }放宽我们的镜像仓库的上传限制，或者腾出磁盘空间，再发 /retry #{ $request }。
failure-network = 网络出错：{ $line }
    .next = 发 /retry #{ $request } 再试一次。还不行的话，请{ $maintainer }查看运行日志。
failure-timed-out = 同步超时
    .next = 已传的部分会保留，下次会更快：发 /retry #{ $request }。
failure-workflow-missing = 同步仓库里没有同步用的工作流
    .next = 请{ $maintainer }安装（imageto-bot setup），再发 /retry #{ $request }。
failure-workflow-off = 同步仓库里的工作流被停用了
    .next = 请{ $maintainer }在同步仓库的 Actions 页面启用它，再发 /retry #{ $request }。
failure-run-missing = GitHub 没有为它启动运行
    .next = 请{ $maintainer }确认同步仓库启用了 Actions，再发 /retry #{ $request }。
failure-run-invalid = GitHub 无法读取工作流文件
    .next = 请{ $maintainer }重新安装（imageto-bot setup），再发 /retry #{ $request }。
failure-run-not-started = 还没有运行器接手，运行就结束了（{ $line }）
    .next = 请{ $maintainer }检查 GitHub 的付款和消费上限，以及有没有标签相符的运行器，再发 /retry #{ $request }。
failure-run-cancelled = 这次运行被取消了
    .next = 有人在 GitHub 上取消了运行。发 /retry #{ $request } 重新运行。
failure-run-silent = 运行已结束（{ $line }），但没有这个镜像的结果
    .next = 详情请查看运行日志。发 /retry #{ $request } 重新运行。
failure-github-refused = 被 GitHub 拒绝：{ $line }
    .next = 请{ $maintainer }检查机器人的令牌和同步仓库，再发 /retry #{ $request }。
failure-unlisted = 有人把它从 image.list 里删掉了
    .next = 发 /retry #{ $request } 重新申请。
failure-mismatch = 我们的镜像仓库里的摘要和获批的不一致
    .next = 有别的程序在写这个位置，请{ $maintainer }查明，再发 /retry #{ $request }。
failure-absent = 运行显示成功，但我们的镜像仓库里没有
    .next = 可能有程序在清理镜像，或者运行推到了别处：请{ $maintainer }检查，再发 /retry #{ $request }。
failure-unknown = 同步失败：{ $line }
    .next = 详情请查看运行日志。发 /retry #{ $request } 再试一次。

# -- commands -----------------------------------------------------------------------------
command-mirror = 把镜像同步到我们的镜像仓库
    .usage = /mirror 镜像……
command-status = 查看进度，也可以查某个请求或某个镜像
    .usage = /status [#41 | 镜像]
command-lookup = 只查镜像，不同步
    .usage = /lookup 镜像……
command-list = 查看 image.list 里的镜像
    .usage = /list [文字]
command-outdated = 查看哪些镜像与上游不一致
    .usage = /outdated [文字]
command-watch = 镜像在上游更新时通知我
    .usage = /watch [镜像……]
command-follow = 有新版本时通知本会话
    .usage = /follow [镜像] [版本范围]
command-unfollow = 不再通知新版本
    .usage = /unfollow 镜像 [版本范围]
command-unkeep = 管理员让哪些标签保持更新，以及取消
    .usage = /unkeep [镜像]
command-unwatch = 取消通知
    .usage = /unwatch 镜像……
command-why = 镜像是谁提的、谁批的、同步了什么
    .usage = /why 镜像
command-history = 最近的审批记录
    .usage = /history [#41 | 镜像]
command-rollback = 请管理员恢复上一个摘要
    .usage = /rollback 镜像
command-remove = 请管理员把镜像移出 image.list
    .usage = /remove 镜像
command-nodes = 让节点用原来的镜像名拉取的配置文件
    .usage = /nodes
command-cancel = 取消请求
    .usage = /cancel #41
command-retry = 重试失败的镜像
    .usage = /retry #41
command-approve = 批准请求
    .usage = /approve #41
command-reject = 驳回请求
    .usage = /reject #41 [理由]
command-notify = 在私聊里也显示待审批的请求
    .usage = /notify [关]
command-pause = 暂停所有提交和运行
    .usage = /pause [理由]
command-resume = 解除暂停
    .usage = /resume
command-block = 立刻禁止某些镜像
    .usage = /block 镜像 [理由]
command-unblock = 解除禁止
    .usage = /unblock 镜像
command-reload = 重新读取配置
    .usage = /reload
command-whoami = 查看你的 ID 和本会话的 ID
    .usage = /whoami
command-help = 我能做什么
    .usage = /help
command-start = 我能做什么
    .usage = /start

help-head = 我负责把容器镜像同步到我们的镜像仓库。可以这样用：
help-row = { $usage } · { $words }
help-example = 例如：<code>/mirror nginx:1.27 gcr.io/distroless/static:nonroot</code>
    也支持 compose 文件、Kubernetes YAML 和 Dockerfile：发送时在说明里写 /mirror，或者用 /mirror 回复它。
    私聊不用写命令，直接发镜像名或文件就行。
    回复卡片或结果时，命令就是指那一个，不用带编号。

misuse = 这样用：<code>{ $usage }</code> · { $words }
misuse-reply = 也可以直接回复我的卡片或结果。

bad-head = { $count ->
    [1] 这个我看不出是哪个镜像：
   *[other] 这几个我看不出是哪个镜像：
}
bad-line = <code>{ $text }</code>：{ $reason }
bad-meant = <code>{ $text }</code>：{ $reason }。你要的是不是 <code>{ $image }</code>？
bad-more = ……另有 { $count } 个。
bad-corrected = 可以直接发：<code>{ $command }</code>
bad-next = 这样写：<code>{ $usage }</code>，例如 <code>nginx:1.27</code> 或 <code>gcr.io/distroless/static:nonroot</code>。

limit-request = 一条消息最多 { $number } 个镜像。
    .next = 去掉几个，或者分几条消息发。
limit-open = 每人最多同时有 { $number } 个镜像在处理。
    .next = 等几个完成，或者用 /cancel 加编号取消一个请求。
limit-drafts = 你还有 { $number } 个草稿等待确认。
    .next = 请先确认或取消几个，发 /status 可以查看。
limit-questions = 你还有 { $number } 个查询没有结果。
    .next = 等几个有了结果再发。
limit-lookups = 一次最多查 { $number } 个镜像。
    .next = 请少查几个，或者等我答完再发。
limit-minute = 发得太快了：每人每分钟最多 { $number } 条命令。
    .next = 接下来 { $seconds } 秒内发的我会忽略。
limit-daily = 每人 24 小时内最多 { $number } 个镜像。
    .next = { $minutes ->
        [0] 请减少一次的数量。
       *[other] { $wait }之后（{ $time }）可以再来。
    }

added = 我按你们的请求同步容器镜像。本会话的 ID 是 <code>{ $chat }</code>，你的 ID 是 <code>{ $person }</code>。
added-next = 发 <code>/mirror</code> 加镜像就能请求同步。
added-unserved = 我同步容器镜像，不过这个会话还没有开通服务。会话 ID 是 <code>{ $chat }</code>，你的 ID 是 <code>{ $person }</code>。
added-unserved-next = 请{ $maintainer }把会话 ID 加到我的配置 <code>telegram.chats</code> 里。
added-privacy = 在这个群里，带上我的名字的命令我才一定收得到，例如 <code>/help@{ $me }</code>。{ $following }
outside = 这个会话还没有开通服务。会话 ID 是 <code>{ $chat }</code>，你的 ID 是 <code>{ $person }</code>。
    .next = 请{ $maintainer }加到我的配置里。
guest = 你还不在我的名单上。你的 ID 是 <code>{ $person }</code>。
    .next = 请{ $maintainer }加到我的配置里。
cannot-store = 我现在无法保存数据，还没有开始处理。
    .next = 你的消息不会丢，恢复后我会自动处理。
cannot-store-press = 我现在无法保存数据。
    .next = 请过几分钟再点一次。
absent = { $since } 到 { $until } 我不在线。{ $before } 之前通过 { $service } 发送的消息可能已丢失。
    .next = 如果你的消息没有得到回应，请再发一次。
faceless = 我看不到你是谁：你正以匿名管理员或频道的身份发言。
    .next = 请换回自己的身份再发。
admins-only = 只有管理员可以操作。
    .next = { $count ->
        [0] 发 /whoami 查看自己的角色。
       *[other] 请联系 { $people }。
    }

whoami = 你的 ID：<code>{ $person }</code>（{ $role }）
    本会话的 ID：<code>{ $chat }</code>
whoami-admin = 管理员
whoami-member = 不是管理员

# /why, /history
why-image = <code>{ $image }</code> · { $state }
why-asked = { $time } · { $person } 在 #{ $request } 里提出
why-undecided = 没有这个摘要的审批记录。
why-waiting = 还没有人审批 <code>{ $digest }</code>。
why-run = { $time } · <a href="{ $url }">GitHub 上的运行</a>开始
why-arrived = { $time } · 运行已同步 <code>{ $digest }</code>
why-signed = { $time } · 已由 { $by } 签名，符合规则要求
why-unchecked = { $time } · 规则要求 { $signer } 的签名，未检查
why-previous = { $time } · 标签原来的摘要另存为 <code>{ $image }</code>
why-previous-refused = { $time } · 标签原来的摘要没能另存：{ $line }
why-attached = { $time } · 附带 { $count } 份签名和证明
why-attached-refused = { $time } · 签名和证明没能全部带上：{ $line }
why-pull-refused = { $time } · 我们的镜像仓库目前不让拉取：{ $line }
why-failed = { $time } · { $cause }
why-older = 另有更早的 { $count } 次没有显示。
why-unknown = 这里没有 <code>{ $image }</code> 的请求。
    .next = 管理员可以在私聊里查看全部审批记录：<code>/history { $image }</code>
decision = { $time } · { $person }{ $did } <code>{ $what }</code>
decision-because = { $time } · { $person }{ $did } <code>{ $what }</code>：{ $reason }
did-approve = 批准了
did-deny = 不允许
did-person-approve = 批准了
did-person-deny = 驳回了
did-refreshed-approve = 已设置这个标签保持更新，因此批准了
did-kept-approve = 批准并保持更新
did-kept-deny = 不再保持更新
did-floats-approve = 认定为浮动标签：
did-floats-deny = 不再认定为浮动标签：
did-removal-approve = 移出了 image.list：
did-removal-deny = 保留在 image.list：
did-rollback-approve = 回滚到
did-rollback-deny = 撤下了
by-person = { $person } { "" }
by-rule = 规则 <code>{ $rule }</code> { "" }
by-rules = 规则
by-registries = 镜像仓库白名单
by-bot = 机器人
by-nobody-known = 某人（姓名已删除）
remove-unlisted = image.list 里没有 <code>{ $image }</code>。
    .next = 发 /list 查看全部。
remove-others = image.list 里没有 <code>{ $image }</code>，但有 { $images }。
    .next = 请写出其中一个的完整名称。
remove-unanswered = 没能读到 image.list：{ $trouble }。
    .next = 请稍后再试。
removal-news = <code>{ $image }</code> 已移出 image.list，不再通知它的更新。
nodes-containerd = 在每个节点上用 <code>root</code> 运行。之后 { $host } 里有的镜像，用原来的名称就能拉取。
    私有项目需要登录，见文件里的 <code>Authorization</code>。
nodes-k3s = 放到每个节点的 <code>/etc/rancher/k3s/</code> 并重启 <code>k3s</code>。之后 { $host } 里有的镜像，用原来的名称就能拉取。
    私有项目需要登录，见文件末尾。
nodes-flat = 我们的镜像仓库用的是单层名称，节点无法由原来的名称得到它们。
    .next = 把你的文件发给我，我会换成我们的镜像仓库里的名称再发回来。
rollback-none = 没有 <code>{ $image }</code> 之前的摘要记录。
    .next = 要同步指定的摘要，可以发 <code>/mirror nginx@sha256:…</code>
rollback-busy = <code>{ $image }</code> 正在处理中。
    .next = 用 <code>/status { $image }</code> 查看进度。
decisions-head = 审批记录，最新的在前：
decisions-head-here = 本会话请求的审批记录，最新的在前：
decisions-none = 没有这样的审批记录。
decisions-none-here = 本会话的请求没有这样的审批记录。
    .next = 私聊我可以查看所有会话的记录。
decisions-more = 只显示最新的 { $count } 条。
    .next = 用 <code>/history #41</code> 或加上镜像名缩小范围。
decisions-more-of-one = 只显示最新的 { $count } 条。
    .next = 要看其他的，请用 /history 加上镜像名。
decisions-more-of-image = 只显示最新的 { $count } 条。

# /pause, /resume, /block, /unblock
hold-begun-pause = ⏸ 已暂停：不再提交，也不再启动运行，直到两位管理员发 /resume。
    .next = 请求和审批照常进行，已经开始的运行会继续。
hold-stands-pause = 已经处于暂停状态，发 /status 查看是谁暂停的。
hold-none-pause = 现在没有暂停。
hold-lifting-pause = 还需要另一位管理员在 10 分钟内发 /resume。
    .next = 也可以在服务器上运行一条命令：<code>imageto-bot resume</code>
hold-lifted-pause = ▶️ 已解除暂停。
hold-begun-block = ⛔ 已禁止 <code>{ $pattern }</code> 的镜像，直到两位管理员发 /unblock。
    .next = 等待审批和已批准的镜像同样被禁止，直接写进 image.list 的行不受影响。
hold-stands-block = <code>{ $pattern }</code> 已经被禁止，发 /status 查看是谁禁止的。
hold-none-block = <code>{ $pattern }</code> 没有被禁止，发 /status 查看禁止了哪些。
hold-lifting-block = 还需要另一位管理员在 10 分钟内发 <code>/unblock { $pattern }</code>。
    .next = 也可以在服务器上运行一条命令：<code>imageto-bot unblock { $pattern }</code>
hold-lifted-block = 已解除对 <code>{ $pattern }</code> 的禁止。
status-held-pause = ⏸ { $person } 暂停了所有提交和运行。
status-held-because-pause = ⏸ { $person } 暂停了所有提交和运行：{ $reason }
status-held-block = ⛔ { $person } 禁止了 <code>{ $pattern }</code>。
status-held-because-block = ⛔ { $person } 禁止了 <code>{ $pattern }</code>：{ $reason }

# /reload
reloaded = 已重新读取配置，有变化：<code>{ $keys }</code>。
reload-same = 已重新读取配置，没有变化。
    .next = 如果确实改过：Docker 单独挂载的文件不会更新，请挂载它所在的目录。
reload-setup = 要让工作流也按新规则处理，还需要{ $maintainer }运行 <code>imageto-bot setup</code>。
reload-refused = 配置有误，没有任何变化：
reload-mistake = <code>{ $line }</code>
reload-next = 改好之后再发 /reload。

# -- answers to commands and presses --------------------------------------------------------
approved = #{ $request }：已批准 { $count } 个镜像。
rejected = #{ $request }：已驳回 { $count } 个镜像。
offer-approved = #{ $request }：{ $count } 个镜像保持更新。发 /unkeep 可以取消。
offer-rejected = #{ $request }：{ $count } 个镜像的每个新摘要都要审批。
removal-approved = #{ $request }：已批准，会随下一次提交移出 image.list。
removal-rejected = #{ $request }：已驳回，继续留在 image.list 里。
decided-line = <code>{ $image }</code>
decided-run = <code>{ $image }</code>：<code>{ $first }</code> 至 <code>{ $last }</code>
decided-besides = { $words }{ $others }
decided-gone = 未处理（之前已审批或已变化）：{ $images }。
effect-first = 你对 { $images } 的批准已计入，还要 { $missing } 位管理员批准。
effect-twice = 你已经批准过 { $images }，要由另一位管理员批准。
effect-own = 只有你自己申请了 { $images }，要由另一位管理员批准。
effect-others = { $known ->
    [0] 你的批准对 { $images } 不计入。
   *[other] 只有 { $people } 能批准 { $images }。
}
effect-denied = 策略已经不允许 { $images }。
    .next = 确实需要的话，请联系{ $maintainer }，策略写在我的配置里。
decided-left = 还有 { $count } 个待审批。
not-shown = 没有作出决定：#{ $request } 的卡片上没有显示 { $images }。
    .next = 我会重新显示卡片，请看过之后在卡片上作决定。
key-needed = 没有作出决定：请注明是 #{ $request } 的哪个版本的卡片，这样不会批准没看到的内容。
command-line = <code>{ $command }</code>
issue-form-name = 同步镜像
issue-form-description = 把镜像同步到我们的镜像仓库
issue-form-title = 同步镜像
issue-form-images = 镜像
issue-form-images-help = 每行一个镜像，例如 <code>nginx:1.27</code>
issue-form-file = 文件
issue-form-file-help = 或者粘贴写有镜像的 <code>docker-compose.yml</code>、Kubernetes YAML、<code>values.yaml</code> 或 Dockerfile
stranger = 只有在这个同步仓库里有角色的人才能在这里提请求。
    .next = 请找{ $maintainer }开通。
issue-edited = 这段文字被编辑过，编辑过的内容不会触发任何操作。
    .next = 请发一条新的评论。
file-too-long-for-comment = { $file } 太长，GitHub 的一条评论放不下，所以没有发回。
    .next = 请把结果里的名字填进文件，或者分成两部分分别发 /mirror。
digests-head = #{ $request }：{ $count } 个待审批镜像的完整摘要
digests-of = <code>{ $repository }</code>
digest-line = <code>{ $image }</code> <code>{ $digest }</code>
reason-asked = 请在卡片上选择理由。
already-approved = { $person } 已经批准过了。
already-rejected = { $person } 已经驳回了。
already-answered = { $person } 已经答复过了。
already-cancelled = #{ $request } 已经取消了。
    .next = 还需要的话，发 /retry #{ $request } 重新申请。
already-replaced = #{ $request } 已被后来的决定取代。
    .next = 还需要的话，发 /retry #{ $request } 重新申请。
already-expired = #{ $request } 已经过期了。
    .next = 还需要的话，发 /retry #{ $request } 重新申请。
nothing-to-decide = #{ $request } 没有待审批的镜像。
private-card-over = <b>#{ $request }</b> 里已没有待审批的镜像。
notify-on = 待审批的请求也会显示在这里，最多同时 10 张卡片，按钮和群里的一样。发 <code>/notify off</code> 可以停止。
notify-off = 其他会话的新卡片不再显示在这里，已有的卡片会保留到审批结束。发 /notify 可以恢复。
notify-elsewhere = 请在私聊里对我说这句话，我会在那里显示待审批的请求。
button-unknown = 这个按钮已经失效了。
    .next = 请用较新的消息，或者发 /status。
no-request = 这里没有 #{ $request } 这个请求。
    .next = 发 /status 查看进行中的请求。
not-yours = #{ $request } 是别人的请求。
    .next = 只有本人或管理员能操作。
too-late = #{ $request } 来不及取消了。
    .next = 已经在同步，或者已经结束：发 /status #{ $request } 查看。
cancelled = #{ $request }：已取消 { $count } 个镜像。{ $going ->
    [0] { "" }
   *[other] 另有 { $going } 个已经在同步了。
}
nothing-to-retry = #{ $request } 没有可以重试的镜像。
    .next = 发 /status #{ $request } 查看结果。

status-nothing = 你在这里没有进行中的请求。需要镜像的话，用 /mirror 发给我。
status-mine = 你的请求：
status-others = 其他人的请求：
status-draft = #{ $request } · 草稿，等 { $person } 确认
status-queue = 所有会话：{ $checking } 个查询中，{ $waiting } 个待审批，{ $queued } 个排队中，{ $copying } 个同步中。
status-budget = { $name }：请求次数还剩 { $remaining }/{ $limit }。
status-kept = 保持更新的镜像：{ $count } 个{ $due ->
    [0] { "" }
   *[other] ，其中 { $due } 个待检查
}。
status-trouble = 当前问题：{ $trouble }
status-failed = 最近一次失败：<code>{ $image }</code>，{ $cause }，{ $time }
status-row = #{ $request } · <code>{ $image }</code>{ $more ->
    [0] { "" }
   *[other] {" "}和另外 { $more } 个
} · { $state } · 已结束 { $over }/{ $count }{ $waiting ->
    [0] { "" }
   *[other] ，{ $waiting } 个待审批
} · { $person }
state-checking = 查询中
state-waiting = 等待管理员审批
state-approved = 排队中
state-submitted = 排队中
state-copying = 同步中
state-verifying = 校验中
state-mirrored = 已同步
state-kept = 保持更新
state-removed = 已移出 image.list
state-failed = 失败
state-rejected = 已驳回
state-expired = 已过期
state-replaced = 已被取代
state-cancelled = 已取消
status-more = ……另有 { $count } 个。
status-unknown = 这里没有 <code>{ $image }</code> 的请求。
    .next = 需要的话，发 <code>/mirror { $image }</code>
history-opened = 提出时间：{ $time }
history-asked = #{ $request }，{ $person } 的请求
history-approved = { $person } 于 { $time } 批准
history-approved-by-policy = 策略于 { $time } 自动批准
history-run = <a href="{ $url }">查看运行日志</a>
history-ended = 结束时间：{ $time }

# -- looking without mirroring --------------------------------------------------------------
lookup-head = 🔎 <code>{ $image }</code>
lookup-denied = <code>{ $image }</code>：{ $reason }
lookup-refused = 上游无法查询：{ $line }
    .next = 请{ $maintainer }检查这个上游。
lookup-missing = 上游没有这个镜像（不存在，或未公开）。
    .next = 请核对名称和标签。
lookup-digest = 摘要：<code>{ $digest }</code>
lookup-platforms = 平台：{ $platforms }
lookup-size = 大小：{ $size }
lookup-created = 构建时间：{ $time }（{ $days ->
    [0] 今天
    [1] 昨天
   *[other] { $days } 天前
}）
lookup-target-same = ✅ 我们的镜像仓库里已经有了，摘要一致：
lookup-target-other = ♻️ 我们的镜像仓库里有这个标签，但摘要不同，可能是旧版：
lookup-target-only = 📦 我们的镜像仓库里还留着它：
lookup-scan = 🛡 扫描结果：严重 { $critical }、高危 { $high }、中危 { $medium }、低危 { $low }、其他 { $other } 个漏洞，<a href="{ $url }">在 Harbor 里查看</a>
lookup-scan-clean = 🛡 扫描没有发现漏洞，<a href="{ $url }">在 Harbor 里查看</a>
lookup-target-none = 我们的镜像仓库里没有。
lookup-target-unreadable = 现在读不到我们的镜像仓库。
lookup-begun = { $registry } 从我这里连不上，正由 GitHub 代为查询 <code>{ $image }</code>，大约需要一分钟。
lookup-unanswered = 没能查到：{ $trouble }。
    .next = 请稍后再试。
lookup-by-run-unanswered = GitHub 没能代为查到：{ $trouble }。
    .next = 请稍后再试。
list-head = image.list 里有 { $count } 个镜像：
list-head-text = image.list 里有 { $count } 个名称含“{ $text }”的镜像：
list-line = <code>{ $image }</code>
list-fact = { $line } · { $fact }
list-asked = { $person }，{ $time }
list-fresh-kept = 🌱 保持更新
list-fresh-asked = 🌱 更新时要审批
list-fresh-gone = 🕳 上游已消失
list-empty = image.list 还是空的。
    .next = 用 /mirror 添加。
list-none = image.list 里没有名称含“{ $text }”的镜像。
    .next = 发 /list 查看全部。
list-unanswered = 没能读到 image.list：{ $trouble }。
    .next = 请稍后再试。
unused-unknown = 还不知道集群在用哪些镜像。
    .next = 发 <code>/list unused</code>，下面附上镜像列表，或者附上文件。
unused-head = { $count ->
    [0] image.list 里的 { $listed } 个镜像都有集群在用。
   *[other] image.list 的 { $listed } 个镜像中，有 { $count } 个没有集群在用：
}
unused-clusters = 已知的集群：{ $clusters }。
unused-cluster = { $name }（{ $time }，{ $count } 个镜像）
unused-line = <code>{ $image }</code>（{ $count }）：{ $tags }
unused-more = ……还有 { $count } 个名称。
unused-kept = 没有删除任何内容。要移出 image.list，请用 /remove。
unused-missing = 有 { $count } 个正在使用的镜像还没加入 image.list，可在下一条消息里选择。
unused-unanswered = 没能比较 image.list：{ $trouble }。
    .next = 请稍后再试。
outdated-head = 有 { $count } 个镜像与上游不一致：
outdated-line = ♻️ <code>{ $image }</code>：<code>{ $old }</code> → <code>{ $new }</code>
outdated-version = ⚠️ <code>{ $image }</code>：<code>{ $old }</code> → <code>{ $new }</code>。版本标签不应该变，重新 /mirror 之前请先向发布者确认。
outdated-new = 📦 <code>{ $image }</code>：我们的镜像仓库里还没有
outdated-more = ……另有 { $count } 个。
outdated-none = { $count ->
    [0] 没有能比对的镜像。
   *[other] ✅ 已比对的 { $count } 个镜像都与上游一致。
}
outdated-fixed = { $count } 个镜像是按摘要列出的，摘要不会变。
outdated-vanished = 有 { $count } 个镜像在上游已经没有了（被删除，或不公开），我们的副本还在。
outdated-untold = 有 { $count } 个镜像没能比对：镜像仓库没有响应。请稍后再试。
outdated-cut-off = 有 { $count } 个镜像无法对比：我自己连不上它们的镜像仓库，也不会让它们保持更新。发 /lookup 可以让 GitHub 代为查询。
outdated-cut = { $listed } 个里只比对了前 { $count } 个。
    .next = 可以加一个词缩小范围，例如 <code>/outdated grafana</code>。
outdated-unanswered = 没能读到 image.list：{ $trouble }。
    .next = 请稍后再试。

# -- updates upstream -----------------------------------------------------------------------
news-head = 有 { $count } 个镜像在上游更新了，我们的镜像仓库已同步：
news-alarm = { $people }：你关注或请求过的镜像，我们的镜像仓库已同步：{ $images }。
news-for = { $people }：这是你关注或请求过的镜像。
gone-head = 🕳 上游已消失：一天以来，每次查看上游都没有这 { $count } 个镜像，而同一镜像仓库里的其他镜像查得到。我们的可能是最后一份：
gone-stays = 它们仍留在 image.list 和我们的镜像仓库里，但保留规则可能会删掉它们。上游也可能只是改成了不公开。
gone-line = • <code>{ $image }</code>
gone-line-since = • <code>{ $image }</code>，{ $time } 起就没有了
gone-back-head = 🌱 上游又有了这 { $count } 个镜像：
gone-for = { $people }：你是管理员，或者关注、请求过这些镜像。
watching = <code>{ $image }</code> 在上游更新并同步到我们的镜像仓库之后，我会在这里通知你。
watch-unlisted = 只有 image.list 里的镜像会保持更新，这个还不在里面。要加进去：<code>/mirror { $image }</code>
watch-head = 你关注了 { $count } 个镜像：
watch-none = 你还没有关注镜像。
    .next = 例如发 <code>/watch nginx:1.27</code>，它在上游更新时会通知你。
watch-limit = <code>{ $image }</code>：每人最多关注 { $number } 个镜像，你已经满了。
    .next = <code>/watch</code> 列出你关注的，用 /unwatch 取消。
watch-off = 这里没有开启保持更新，所以不会有通知。
    .next = 请{ $maintainer }在配置里设置 <code>fresh</code>。发 /outdated 查看目前哪些不一致。
watch-fixed = <code>{ $image }</code> 写的是摘要，摘要不会变。
    .next = 请关注标签，例如 <code>/watch nginx:1.27</code>。
following = <code>{ $image }</code> 在 <code>{ $range }</code> 范围内有新版本时，我会通知本会话。现在就查一次，以后每天查一次。
follow-first = <code>{ $range }</code> 范围内目前最新的是 <code>{ $image }</code>。有更新的版本时我会通知。
follow-useless = <code>{ $image }</code>，<code>{ $range }</code>：{ $why }。以后每天再查一次。
    .next = /follow 列出本会话跟踪的版本，用 /unfollow 取消。
follow-out-of-reach = 它的镜像仓库从我这里连不上，GitHub 只代为查看单个镜像
follow-missing = 镜像仓库没有给出它的标签列表
follow-too-long = 标签列表太长，无法确定哪个最新
follow-unclear = 没有哪个标签能确定是最新的
follow-unread = 还没有查过
follow-known = 最新：<code>{ $tag }</code>
follow-head = 本会话跟踪 { $count } 个版本范围：
follow-line = • <code>{ $image }</code> <code>{ $range }</code> · { $state }
follow-none = 本会话没有跟踪任何版本。
    .next = 例如发 <code>/follow nginx 1.27.x</code>，有新版本就会通知。也可以写 <code>^1.27</code>、<code>~1.27</code> 或 <code>1.27.x-alpine</code>。
follow-no-range = 要跟踪哪些版本？
    .next = 请加上范围，例如 <code>/follow nginx 1.27.x</code>、<code>^1.27</code>，只要某个变体就写 <code>1.27.x-alpine</code>。
follow-limit = 每人最多跟踪 { $number } 个范围，每个会话最多 100 个，已经到了上限。
    .next = /follow 列出本会话的，用 /unfollow 取消。
unfollowed = 不再通知本会话 <code>{ $image }</code> 的新版本。
unfollow-none = 本会话没有这样跟踪 <code>{ $image }</code>。
    .next = /follow 列出正在跟踪的。
follow-news = 🆕 有 { $count } 个新版本：
follow-news-line = 已发布 <code>{ $image }</code>{ $before } · <code>{ $digest }</code>{ $size }
follow-before = {" "}· 之前是 { $tag }
follow-size = {" "}· { $size }
button-take = 同步 { $image }
button-ask-for = 申请 { $image }
button-admit = 批准 { $image }
button-follow = 🆕 跟踪新版本
follow-begun = 本会话开始跟踪 { $count } 个镜像的新版本，用 /follow 查看。
follow-taken = 已经申请过了：#{ $request }
follow-approved = 已批准，进度见 #{ $request }。
unwatched = 不再通知你 <code>{ $image }</code> 的更新。
status-keeper = { $person } 让它保持更新：新摘要不用再批准，发 /unkeep 可以取消。
status-floater = { $person } 说它是浮动标签，发 /unkeep 可以取消。
unkept = <code>{ $image }</code> 的新摘要重新按规则处理。
unkeep-none = 没有管理员让 <code>{ $image }</code> 保持更新，也没有人说它是浮动标签。
unkeep-before = 这个已经取消了。
kept-head = 有 { $count } 个标签被设为保持更新或浮动，点一下就取消：
kept-head-here = 本会话有 { $count } 个标签被设为保持更新或浮动，点一下就取消：
kept-fresh = 🌱 <code>{ $image }</code>：{ $people } 从 { $time } 起让它保持更新
kept-fresh-idle = 💤 <code>{ $image }</code>：{ $people } 从 { $time } 起让它保持更新，但按规则管理员人数不够，没有生效
kept-floating = 🌊 <code>{ $image }</code>：{ $people } 从 { $time } 起设为浮动标签
kept-none = 没有标签被管理员设为保持更新或浮动。
    .next = 镜像更新的警报上有这些按钮。
kept-none-here = 本会话没有标签被管理员设为保持更新或浮动。
    .next = 私聊我可以查看所有会话的标签。
decided-kept = 以后的新摘要不用再批准。发 /unkeep 可以取消。
held-why = 为什么要提前继续？理由会保留下来。
    .next = 请发送 <code>/approve #{ $request }</code> 加理由。
decided-floats = 这个标签以后按浮动标签处理，新摘要按规则处理。发 /unkeep 可以取消。
unwatch-none = 你没有关注 <code>{ $image }</code>。
    .next = <code>/watch</code> 列出你关注的镜像。

# -- lines of image.list that were written by hand ------------------------------------------
hand-written-asked = 有人直接往 image.list 里写了 { $count } 行，按规则应由管理员审批，但工作流会照常同步：
hand-written-denied = 有人直接往 image.list 里写了 { $count } 行，规则不允许，工作流不会同步：
hand-written-line = ✏️ <code>{ $image }</code>
hand-written-next = 如果不该同步，请删掉写进去的内容，并在我的配置里加一条拒绝规则。

# -- what only the maintainer can mend ------------------------------------------------------
defects-call = 需要{ $maintainer }处理：
defect-github-token = GitHub 不再接受我的令牌，更换之前什么都不会同步。
    .next = 请新建一个令牌，写进 GITHUB_TOKEN，然后重启我。
defect-github-expiry = 我的 GitHub 令牌快要过期了。
    .next = 请在过期前新建一个，写进 GITHUB_TOKEN，然后重启我。
defect-source-login = <code>{ $where }</code> 不再接受我的登录。
    .next = 请更新 SOURCE_AUTH 里的登录，运行 imageto-bot setup，再重启我。
defect-target-login = 我们的镜像仓库不再接受登录，更新之前什么都不会同步。
    .next = 机器人账户会过期。请更新 HARBOR_USER 和 HARBOR_PWD，运行 imageto-bot setup，再重启我。
defect-target-expiry = 我们的镜像仓库的登录账户快要过期了。
    .next = 请在 Harbor 里延长有效期。如果密码变了，还要更新 HARBOR_PWD，运行 imageto-bot setup，再重启我。
defect-quota = 我们的镜像仓库里，项目 <code>{ $where }</code> 的空间快满了。
    .next = 请调高配额，或在 Harbor 里加一条清理旧标签的保留策略。
defect-full = 我们的镜像仓库配额已用完，推不进新镜像。
    .next = 请调高配额，或删掉没人用的镜像，之后大家就可以发 /retry。
defect-workflow-missing = 同步仓库里没有工作流，什么都不会同步。
    .next = 请运行 imageto-bot setup。
defect-workflow-off = 工作流在 GitHub 上被停用了，什么都不会同步。
    .next = 请在同步仓库的 Actions 页面启用它。
defect-workflow-differs = 同步仓库里的工作流与我自带的不一致，什么都不会同步。
    .next = 请运行 imageto-bot setup。
defect-runner = 有一次运行等了 15 分钟以上，还没有运行器接手。
    .next = 请检查运行器是否在线，以及这次运行是不是在 GitHub 上等人批准。
defect-statements = 我们的镜像仓库不收我的声明，镜像仍照常同步。
    .next = 请腾出空间，或让不可变规则不包含 <code>sha256-*</code> 这类标签。
defect-until = { $time } 到期。
defect-used = 已用 { $used }，共 { $quota }。
defect-run = { $url }
defect-line = 它说：{ $line }

# -- mistakes: why a text is no image -------------------------------------------------------
problem-empty = 里面什么都没有
problem-blank = 镜像名里不能有空格或换行
problem-character = 里面有镜像名不能用的字符
problem-uppercase = 仓库名要用小写
problem-bare-id = 这是镜像的 ID，不是名称
problem-too-long = 名称超过了 255 个字符
problem-ipv6-host = 不支持用 IPv6 地址写的镜像仓库，请用它的域名
problem-no-domain = 开头像是镜像仓库的域名，其实不是
problem-host = 镜像仓库的域名不对
problem-tag = 标签不合规范
problem-digest = 摘要不合规范
problem-variable = 里面有个变量没写默认值，我不知道它会是什么
problem-no-tag = 那里没写标签，我不知道要用哪一个
problem-chart-version = 这是 chart，但没写版本，请加上 <code>--version</code>
problem-registry = 那里没写镜像仓库，我无法确定完整的名称
problem-passed-over = 没有当作镜像
problem-unread-file = 这个文件我读不了
problem-empty-file = 这个文件里没找到镜像
problem-malformed = 镜像名不是这样写的

mistake-invisible = 里面混进了看不见的字符
mistake-web-page = 这是网页的地址
mistake-source-page = 这是源代码的页面，镜像可能另有名称
mistake-command-line = 这是一条命令
mistake-quotes = 不用加引号
mistake-scheme = 镜像名前面没有 https://
mistake-full-width = 里面有全角字符
mistake-blank = 中间多了空格
mistake-mirror-prefix = 这是它在别的镜像站上的名称，请用上游的名称
mistake-target-prefix = 这是它在我们的镜像仓库里的名称，请用上游的名称
mistake-uppercase = 仓库名要用小写
mistake-punctuation = 前后多了标点
mistake-slash-for-colon = 标签前面应该是冒号
mistake-tag-joined = 标签前面要加冒号
mistake-wrong-library = 只有 Docker Hub 的官方镜像才写 library/

# imageto-bot init：在有人发送验证码的会话里说的话
init-met = 谢谢，请回到终端继续。
init-faceless = 我看不到你是谁。
    .next = 请关闭“匿名发言”，然后发送终端显示的新验证码。
init-not-here = 请把它发到要由我服务的群里。
