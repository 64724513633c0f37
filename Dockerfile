# Only the bot: no compiler, no build tools, no root, and nothing at run time that needs a shell.
# The base is named by its digest, so that the same sources give the same image. A release builds on
# the newest one: docker buildx imagetools inspect python:3.13-slim-bookworm
ARG BASE=docker.io/library/python:3.13-slim-bookworm@sha256:01f42367a0a94ad4bc17111776fd66e3500c1d87c15bbd6055b7371d39c124fb
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python3 -m venv /app && mkdir /data
COPY requirements.lock ./
RUN /app/bin/pip install --require-hashes --no-deps -r requirements.lock
# The bot is plain Python. It is copied, so that no build tool has to be trusted.
COPY bot /app/src/bot
# Compiled here, since the root may be read-only later.
RUN /app/bin/python -m compileall -q /app/src/bot

# No step runs here: a base without a shell does as well, if its Python is the build's.
FROM ${BASE}
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data
# By number, so that orchestrators can see that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
# PYTHONSAFEPATH: the working directory is the user's. No module is imported from there.
ENV PATH=/app/bin:$PATH PYTHONPATH=/app/src PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 HOME=/data IMAGETO_CONFIG=/data/config.yaml
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s \
  CMD ["python", "-m", "bot", "check", "--alive"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
