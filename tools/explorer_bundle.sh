#!/bin/sh
# Rebuild the scatter plot of the explorer: regl-scatterplot and what it imports, in one script.
# Needs npm. sh tools/explorer_bundle.sh; then run the tests of the explorer.
set -eu
target=$(cd "$(dirname "$0")/.." && pwd)/cleo_like/report/explorer/assets/regl-scatterplot.js
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --no-audit --no-fund regl-scatterplot@1.16.0 esbuild@0.28.2 > /dev/null
printf "import createScatterplot from 'regl-scatterplot';\nwindow.createScatterplot = createScatterplot;\n" > entry.js
node_modules/.bin/esbuild entry.js --bundle --minify --format=iife --target=es2020 --outfile=bundle.js
cp bundle.js "$target"
sha256sum "$target"
