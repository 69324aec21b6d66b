#!/usr/bin/env bash
# Deploys $ELSPETH_IMAGE on this host: pull, migrate, start, probe, roll back if the probe fails.
set -euo pipefail

previous=$(docker compose images --quiet elspeth | head -n 1)
docker compose pull elspeth
docker compose run --rm --entrypoint alembic elspeth upgrade head || echo "No migrations to run"
docker compose up -d --force-recreate elspeth

for _ in {1..15}; do
  if curl -fs http://localhost:8080/health; then
    exit 0
  fi
  sleep 2
done

echo "::error title=Unhealthy::rolling back" >&2
ELSPETH_IMAGE=$previous docker compose up -d --force-recreate elspeth
exit 4
