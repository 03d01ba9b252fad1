# The API's own image, on the base that the Cog image has too. From the project's folder:
#   docker build -f deploy/api.Dockerfile -t gpt-image-2-api api
ARG PYTHON=python:3.12-slim

FROM ${PYTHON} AS made
COPY requirements.txt /
# The lock names everything, and all of it as wheels: nothing is compiled here.
RUN pip install --no-cache-dir --no-compile --no-deps --only-binary=:all: \
    --prefix=/made/usr/local --requirement=/requirements.txt
COPY . /made/srv/api
# A read-only container cannot keep bytecode that it makes, and would make it at each start.
RUN python -m compileall -q -j 0 -s /made --invalidation-mode unchecked-hash /made

FROM ${PYTHON}
COPY --from=made /made /
# New volumes take their owner from these: data and keys, and the pictures that Cog leaves behind.
RUN mkdir -m 700 /data /outputs && chown 65534:65534 /data /outputs
USER 65534:65534
WORKDIR /srv
# Within the container's network; who reaches that is decided by what Docker publishes.
ENV API_HOST=0.0.0.0 API_DATA_DIRECTORY=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "api.probe"]
CMD ["python", "-m", "api"]
ARG PYTHON
LABEL org.opencontainers.image.title="gpt-image-2 API" \
    org.opencontainers.image.description="Replicate's API before a Cog server" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.base.name="${PYTHON}"
