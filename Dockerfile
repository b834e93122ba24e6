# The pipeline: code location, and what Dagster's webserver and daemon need. Locked, verified by hash, and not root.
FROM python:3.11-slim-bookworm

ENV DAGSTER_HOME=/dagster \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /app

COPY requirements-image.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-image.lock

COPY pyproject.toml README.md LICENSE ./
COPY directus_assets ./directus_assets
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

# The id of Directus' own user in its image, since both write to one folder of uploads.
RUN useradd --uid 1000 --create-home dagster && install -d -o dagster -g dagster /dagster /directus/uploads
USER 1000:1000

# A code server that can reload presets, languages and collections without a restart; watched, since it does not restart the
# process with the definitions.
CMD ["directus-assets", "watch", "--", "dagster", "code-server", "start", "-s", "/dagster/code.sock", "-m", "directus_assets.definitions"]
