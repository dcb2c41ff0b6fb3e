#!/bin/sh
# Compiles every mail's MJML into the HTML beside it. Needs Node 20 or newer; the compiled files are committed, so that
# nothing else needs it. `build.sh check` changes nothing and fails when a compiled file differs from its source.
set -eu
cd "$(dirname "$0")"
version=$(node -p 'require("./package.json").devDependencies.mjml')
have=$(node -p 'require("./node_modules/mjml/package.json").version' 2>/dev/null || echo none)
if [ "$have" != "$version" ]; then
	npm ci --no-audit --no-fund --silent
fi
out=.
if [ "${1:-}" = check ]; then
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
fi
for source in *.mjml; do
	name=${source%.mjml}.html
	./node_modules/.bin/mjml --config.allowIncludes true --config.validationLevel strict --config.minify false --config.beautify false "$source" -o "$out/$name"
	# Trailing blanks and empty lines carry nothing; without them a change of the source is readable in the diff.
	sed -i -e 's/[[:space:]]*$//' -e '/^$/d' "$out/$name"
	if [ "$out" != . ] && ! cmp -s "$out/$name" "$name"; then
		echo "templates/email/$name is not what $source compiles to: run make templates" >&2
		exit 1
	fi
done
