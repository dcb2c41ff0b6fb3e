#!/usr/bin/env bash
# Runs a command beside a fresh DynamoDB Local (in memory, on a free loopback port), or serves one.
#
#   infra/dynamodb-local.sh go test ./internal/dynamo/...
#   infra/dynamodb-local.sh serve 8000
#
# The command finds its address in TIDINGS_DYNAMODB. The first run fetches the emulator from npm into
# .cache/, which git ignores: its licence forbids passing it on.
set -eu

package=amplify-dynamodb-simulator@2.9.30
cache=$(cd "$(dirname "$0")/.." && pwd)/.cache/dynamodb-local
jar=$cache/package/emulator/DynamoDBLocal.jar

fail() {
  echo "dynamodb-local: $1" >&2
  exit 1
}

[ $# -ge 1 ] || fail "usage: $0 COMMAND [ARGUMENT…] | serve PORT"
command -v java >/dev/null || fail "java is missing: install a Java runtime of version 17 or later"

if [ ! -f "$jar" ]; then
  command -v npm >/dev/null || fail "npm is missing: it is needed once, to fetch $package"
  mkdir -p "$cache"
  fetch=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$fetch"' EXIT
  (cd "$fetch" && npm pack --silent "$package" >/dev/null) || fail "npm could not fetch $package"
  tar -xzf "$fetch"/*.tgz -C "$fetch"
  [ -d "$cache/package" ] || mv "$fetch/package" "$cache/package"
  rm -rf "$fetch"
  trap - EXIT
fi

emulator() {
  cd "$cache/package/emulator"
  exec java -Djava.library.path=DynamoDBLocal_lib -jar DynamoDBLocal.jar -inMemory -disableTelemetry -port "$1"
}

if [ "$1" = serve ]; then
  emulator "${2:-8000}"
fi

# answers PORT: whether something listens there.
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

port=$((20000 + RANDOM % 20000))
while answers "$port"; do port=$((port + 1)); done

log=$(mktemp "$cache/log.XXXXXX")
(emulator "$port") >"$log" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -f "$log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tries=0
until answers "$port"; do
  kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; fail "DynamoDB Local ended before it answered"; }
  tries=$((tries + 1))
  [ "$tries" -le 300 ] || fail "DynamoDB Local did not answer within 30 s"
  sleep 0.1
done

export TIDINGS_DYNAMODB="http://127.0.0.1:$port"
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
unset AWS_PROFILE AWS_SESSION_TOKEN
status=0
"$@" || status=$?
exit "$status"
