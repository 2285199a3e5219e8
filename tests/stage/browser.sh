#!/usr/bin/env bash
# The report of a real job, opened by a real browser without a network: the
# page stands, its charts have a size, and nothing is asked for elsewhere.
if ! command -v chromium >/dev/null; then
  echo "SKIPPED: chromium is not installed"
  exit 77
fi
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

expect 0 "$scratch/np2" 2
page=$(ls "$scratch"/np2/run/report-*/index.html)

if grep -oE '(src|href|url)[=(]"?(https?:)?//[^" )]*' "$page"; then
  fail "the page asks for something elsewhere"
fi
# What a reader of the page would see, written into its title by the browser.
cat >"$scratch/probe.html" <<PROBE
<iframe id="page" src="file://$page" width="1200" height="4000"></iframe>
<script>
onload = () => {
  const inner = document.getElementById('page').contentDocument;
  const charts = [...inner.querySelectorAll('svg')];
  const blank = charts.filter(c => c.getBoundingClientRect().width < 1);
  const wide = inner.documentElement.scrollWidth;
  document.body.dataset.seen =
    \`charts \${charts.length} blank \${blank.length} tables \` +
    \`\${inner.querySelectorAll('table').length} width \${wide}\`;
};
</script>
PROBE
seen=$(timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic \
  --no-first-run --disable-background-networking --disable-component-update \
  --disable-sync --allow-file-access-from-files \
  --user-data-dir="$scratch/browser" --virtual-time-budget=5000 \
  --dump-dom "file://$scratch/probe.html" 2>"$scratch/browser.log" |
  grep -o 'data-seen="[^"]*"') || { cat "$scratch/browser.log"; fail "no page"; }
echo "$seen"
read -r _ charts _ blank _ tables _ width <<<"$(cut -d'"' -f2 <<<"$seen")"
[ "$charts" -ge 4 ] || fail "$charts charts on the page"
[ "$blank" -eq 0 ] || fail "$blank charts are blank"
[ "$tables" -ge 3 ] || fail "$tables tables on the page"
[ "$width" -le 1200 ] || fail "the page is $width px wide in 1200"
