"""Public mirrors of other registries, and the names of their images at the source.

An image at a public mirror may be old or incomplete, and many mirrors disappear. So an image with
such a name is copied from its source. To add a mirror, add a row to one of the tables.
"""

import re
from typing import Final

from bot.core.image import DOCKER_HUB, is_host

_KUBERNETES: Final = "registry.k8s.io"

_WHOLE: Final = {
    "k8s.gcr.io": _KUBERNETES,
    "lank8s.cn": _KUBERNETES,
    "registry.lank8s.cn": _KUBERNETES,
    "gcr.lank8s.cn": "gcr.io",
    "mirror.gcr.io": DOCKER_HUB,
    "mirror.ccs.tencentyun.com": DOCKER_HUB,
    "hub-mirror.c.163.com": DOCKER_HUB,
    "registry.docker-cn.com": DOCKER_HUB,
    "docker.mirrors.sjtug.sjtu.edu.cn": DOCKER_HUB,
    "mirror.baidubce.com": DOCKER_HUB,
    "docker.1panel.live": DOCKER_HUB,
    "docker.xuanyuan.me": DOCKER_HUB,
    "hub.rat.dev": DOCKER_HUB,
    "dockerpull.org": DOCKER_HUB,
    "dockerpull.com": DOCKER_HUB,
    "m.daocloud.io": DOCKER_HUB,
    "dockerproxy.com": DOCKER_HUB,
    "dockerproxy.net": DOCKER_HUB,
    "dockerproxy.cn": DOCKER_HUB,
}
"""Hosts that mirror one registry, or the one whose host follows in the name."""

_FAMILY: Final = re.compile(
    r"([a-z0-9-]+)\.(?:m\.daocloud\.io|nju\.edu\.cn|mirrors?\.nju\.edu\.cn|mirrors\.ustc\.edu\.cn"
    r"|azk8s\.cn|dockerproxy\.(?:com|net|cn)|1ms\.run)"
)
_MEMBERS: Final = {
    "docker": DOCKER_HUB,
    "dockerhub": DOCKER_HUB,
    "hub": DOCKER_HUB,
    "gcr": "gcr.io",
    "ghcr": "ghcr.io",
    "quay": "quay.io",
    "k8s": _KUBERNETES,
    "k8s-gcr": _KUBERNETES,
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
        return _NAME.sub(
            lambda name: _RENAMED.get(name[0], f"{_KUBERNETES}/{name[0]}"), found[1], 1
        )
    if found := _HUAWEI.fullmatch(text):
        return found[1] if _is_qualified(found[1]) else None
    host, slash, rest = text.partition("/")
    source = _source(host.lower()) if slash else None
    if source is None:
        return None
    return rest if _is_qualified(rest) else f"{source}/{rest}"


def _is_qualified(name: str) -> bool:
    return "/" in name and is_host(name.partition("/")[0])


def _source(host: str) -> str | None:
    if found := _FAMILY.fullmatch(host):
        return _MEMBERS.get(found[1])
    return DOCKER_HUB if _ACCELERATOR.fullmatch(host) else _WHOLE.get(host)
