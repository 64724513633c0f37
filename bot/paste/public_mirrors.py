"""Public mirrors of other registries, and the names of their images at the source.

Images there may be old or incomplete, and many mirrors disappear, so they come from the source.
"""

import re
from typing import Final

from bot.core.image import DOCKER_HUB, has_host

_KUBERNETES: Final = "registry.k8s.io"

_WHOLE: Final = {
    "k8s.gcr.io": _KUBERNETES,
    "lank8s.cn": _KUBERNETES,
    "registry.lank8s.cn": _KUBERNETES,
    "gcr.lank8s.cn": "gcr.io",
} | dict.fromkeys(
    """
    mirror.gcr.io mirror.ccs.tencentyun.com hub-mirror.c.163.com registry.docker-cn.com
    docker.mirrors.sjtug.sjtu.edu.cn mirror.baidubce.com docker.1panel.live docker.xuanyuan.me
    hub.rat.dev dockerpull.org dockerpull.com m.daocloud.io dockerproxy.com dockerproxy.net
    dockerproxy.cn
    """.split(),
    DOCKER_HUB,
)
"""Hosts that mirror one registry, or the one whose host follows in the name."""

_FAMILY: Final = re.compile(
    r"([a-z0-9-]+)\.(?:m\.daocloud\.io|nju\.edu\.cn|mirrors?\.nju\.edu\.cn|mirrors\.ustc\.edu\.cn"
    r"|azk8s\.cn|dockerproxy\.(?:com|net|cn)|1ms\.run)"
)
_MEMBERS: Final = {
    **dict.fromkeys(("docker", "dockerhub", "hub"), DOCKER_HUB),
    "gcr": "gcr.io",
    "ghcr": "ghcr.io",
    "quay": "quay.io",
    **dict.fromkeys(("k8s", "k8s-gcr"), _KUBERNETES),
    "mcr": "mcr.microsoft.com",
    "nvcr": "nvcr.io",
    "elastic": "docker.elastic.co",
}
"""The registry for the first label of a host of such a family."""

_ALIYUN: Final = re.compile(
    r"registry(?:\.[a-z]+-[a-z0-9-]+)?\.aliyuncs\.com/(?:google_containers|k8sxio)/(.+)"
)
_RENAMED: Final = {
    "coredns": f"{_KUBERNETES}/coredns/coredns",
    "metrics-server": f"{_KUBERNETES}/metrics-server/metrics-server",
    "nginx-ingress-controller": f"{_KUBERNETES}/ingress-nginx/controller",
    "kube-webhook-certgen": f"{_KUBERNETES}/ingress-nginx/kube-webhook-certgen",
    "kube-state-metrics": f"{_KUBERNETES}/kube-state-metrics/kube-state-metrics",
    "storage-provisioner": "gcr.io/k8s-minikube/storage-provisioner",
    "kicbase": "gcr.io/k8s-minikube/kicbase",
}
"""Images of Aliyun's flat project that have another path at the source."""

_HUAWEI: Final = re.compile(r"swr\.[a-z]+-[a-z]+-[0-9]+\.myhuaweicloud\.com/ddn-k8s/(.+)")
_ACCELERATOR: Final = re.compile(r"[a-z0-9]+\.mirror\.aliyuncs\.com")
_NAME: Final = re.compile(r"[^:@]+")


def name_at_source(text: str) -> str | None:
    """The source's name of an image at a public mirror. None for any other text."""
    if found := _ALIYUN.fullmatch(text):
        return _NAME.sub(lambda n: _RENAMED.get(n[0], f"{_KUBERNETES}/{n[0]}"), found[1], count=1)
    if found := _HUAWEI.fullmatch(text):
        return found[1] if has_host(found[1]) else None
    host, slash, rest = text.partition("/")
    if found := _FAMILY.fullmatch(host.lower()):
        source = _MEMBERS.get(found[1])
    else:
        source = DOCKER_HUB if _ACCELERATOR.fullmatch(host.lower()) else _WHOLE.get(host.lower())
    if source is None or not slash:
        return None
    return rest if has_host(rest) else f"{source}/{rest}"
