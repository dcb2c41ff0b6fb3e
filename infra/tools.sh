#!/usr/bin/env bash
# Runs cfn-lint or SAM CLI in a version of this project's choosing, from a Python environment in .cache/ that is made once.
#
#   infra/tools.sh cfn-lint template.yaml
#   infra/tools.sh sam validate --lint
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
export SAM_CLI_TELEMETRY=0

fail() {
  echo "tools: $1" >&2
  exit 1
}

case ${1:-} in
cfn-lint) package=cfn-lint==1.51.0 ;;
sam) package=aws-sam-cli==1.170.0 ;;
*) fail "usage: $0 cfn-lint|sam [ARGUMENT…]" ;;
esac

venv=$root/.cache/venv-${package//==/-}
if [ ! -x "$venv/bin/$1" ]; then
  command -v python3 >/dev/null || fail "python3 is missing: $1 needs Python 3.10 or later with venv"
  rm -rf "$venv"
  python3 -m venv "$venv" || fail "python3 has no venv module: install it (Debian: python3-venv)"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$package" || {
    rm -rf "$venv"
    fail "pip could not fetch $package"
  }
fi

# What sam build makes is built as make build does it: without C libraries, which the build's machine may have newer than Lambda, without an
# RPC server, and stripped. SAM's builder of Go takes flags from here only.
version=$(git -C "$root" describe --always --dirty 2>/dev/null || echo dev)
export CGO_ENABLED=0 GOFLAGS="-tags=lambda.norpc '-ldflags=-s -w -X tidings/internal/app.Version=$version'"

exec "$venv/bin/$1" "${@:2}"
