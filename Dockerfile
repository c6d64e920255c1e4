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
# The page listens on loopback, which inside a container is nobody's: docker-compose.yml sets TRIALDELTA_HOST.
ENV PATH=/opt/trialdelta/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TRIALDELTA_DATABASE_URL=sqlite:////data/trialdelta.sqlite3
STOPSIGNAL SIGTERM
ENTRYPOINT ["trialdelta"]
CMD ["run"]
