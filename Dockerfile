# Two stages: the wheel is built in the first, the second holds only what runs.
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/trialdelta \
 && /opt/trialdelta/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && /opt/trialdelta/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13-slim
COPY --from=build /opt/trialdelta /opt/trialdelta
RUN useradd --system --uid 10001 --home-dir /data --create-home trialdelta
USER trialdelta
VOLUME /data
# Loopback inside a container is nobody's: the port is published to the host's loopback by docker-compose.yml.
ENV PATH=/opt/trialdelta/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TRIALDELTA_DATABASE_URL=sqlite:////data/trialdelta.sqlite3
STOPSIGNAL SIGTERM
ENTRYPOINT ["trialdelta"]
CMD ["run"]
