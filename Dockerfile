# One image for everything tradetrail runs: the four services, their preparing steps, and the simulated vendors.
# `docker run IMAGE services.auditor` runs `python -m services.auditor`. It writes nowhere but /tmp.

# What the services need, by hash. Changes when requirements/services.txt does, and only then.
FROM python:3.11-slim-bookworm AS dependencies
# A fixed time makes compiled files the same whenever they are made (they are checked by hash instead of age).
ENV SOURCE_DATE_EPOCH=315532800 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
COPY requirements/services.txt /requirements/
RUN python -m venv --without-pip /opt/tradetrail \
 && pip --python /opt/tradetrail/bin/python install --require-hashes --only-binary :all: -r /requirements/services.txt

# The project itself, built with a pinned backend that doesn't reach the final image.
FROM dependencies AS project
COPY requirements/build.txt /requirements/
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --only-binary :all: -r /requirements/build.txt
WORKDIR /source
COPY pyproject.toml README.md ./
COPY schemas ./schemas
COPY tradetrail ./tradetrail
COPY services ./services
COPY simulators ./simulators
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && pip --python /opt/tradetrail/bin/python install --no-deps --no-index --target /project /wheels/*.whl \
 && mv /project/bin /commands

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="tradetrail" \
      org.opencontainers.image.description="Trade on disclosed trades, and prove afterwards what was known and done"
COPY --from=dependencies /opt/tradetrail /opt/tradetrail
COPY --from=project /project /opt/tradetrail/lib/python3.11/site-packages
COPY --from=project /commands /opt/tradetrail/bin
# Inside a container 0.0.0.0 is what a published port leads to; whoever publishes it chooses the outer address.
ENV PATH=/opt/tradetrail/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TRADETRAIL_HTTP_HOST=0.0.0.0 \
    TRADETRAIL_HTTP_PORT=8080
# A number, so that a cluster can see that it isn't root's.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
# 200 is ready, 503 is not; -I -S spare most of the interpreter's start, which happens every few seconds.
HEALTHCHECK --interval=5s --timeout=4s --start-period=90s --retries=6 \
  CMD ["python", "-I", "-S", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['TRADETRAIL_HTTP_PORT']), timeout=3); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m"]
