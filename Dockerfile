# Only the bot: no compiler, no build tools, no root.
FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /app
COPY requirements.lock ./
RUN /app/bin/pip install --require-hashes --no-deps -r requirements.lock
# The bot is plain Python. It is copied, so that no build tool has to be trusted.
COPY bot /app/src/bot

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /data imageto
COPY --from=build /app /app
USER 10001
WORKDIR /data
VOLUME /data
# PYTHONSAFEPATH: the working directory is the user's. No module is imported from there.
ENV PATH=/app/bin:$PATH PYTHONPATH=/app/src PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 \
    IMAGETO_CONFIG=/data/config.yaml
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s \
  CMD ["python", "-m", "bot", "check", "--alive"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
