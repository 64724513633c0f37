"""The token servers that are on another host than their registry."""

from bot.core.token_servers import TOKEN_SERVERS, token_servers
from bot.workflow.mirror import token_servers as servers_of_the_run


def test_bot_and_workflow_know_the_same_token_servers() -> None:
    assert servers_of_the_run.TOKEN_SERVERS == TOKEN_SERVERS
    for registry in (
        *TOKEN_SERVERS,
        *("registry.cn-hangzhou.aliyuncs.com", "registry-vpc.cn-hangzhou.aliyuncs.com"),
        *("wei-registry.us-east-1.cr.aliyuncs.com", "oss.aliyuncs.com", "aliyuncs.com"),
        "evil.example/registry.cn-hangzhou.aliyuncs.com",
    ):
        assert servers_of_the_run.token_servers(registry) == token_servers(registry)
    assert token_servers("oss.aliyuncs.com") == ()
