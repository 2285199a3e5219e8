#!/usr/bin/env bash
# The report of a real job: valid HTML and SVG, and what a real browser without
# a network makes of it, on a wide screen and on a narrow one: no blank chart, no
# text upon another, nothing beyond the page's edge, nothing asked for elsewhere.
for program in chromium tidy; do
  if ! command -v "$program" >/dev/null; then
    echo "SKIPPED: $program is not installed"
    exit 77
  fi
done
if ! /usr/bin/python3 -c 'import html5lib' 2>/dev/null; then
  echo "SKIPPED: python3-html5lib is not installed"
  exit 77
fi
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

printf 'sweep: {model: {loss: [expectation, euclidean]}}\n' >>"$scratch/job.yaml"
expect 0 "$scratch/np2" 2 --set model.epochs=1
report=$(dirname "$scratch"/np2/run/report-*/index.html)
page=$report/index.html

if grep -oE '(src|href|url)[=(]"?(https?:)?//[^" )]*' "$page"; then
  fail "the page asks for something elsewhere"
fi
tidy -q -e "$page" || fail "tidy finds fault with the page"
/usr/bin/python3 - "$page" <<'PYTHON' || fail "the page is not HTML5"
import sys

import html5lib

parser = html5lib.HTMLParser()
with open(sys.argv[1], "rb") as page:
    parser.parse(page)
for place, name, _ in parser.errors:
    print(place, name)
sys.exit(len(parser.errors) > 0)
PYTHON
for figure in "$report"/figures/*.svg; do
  tidy -q -e -xml "$figure" || fail "tidy finds fault with $figure"
  [ "$(head -c 4 "${figure%.svg}.png" | tail -c 3)" = PNG ] ||
    fail "${figure%.svg}.png is no PNG"
  pages+=("$figure")
done

# What a reader would see, written into the probe's body by the browser.  Texts
# overlap where their boxes share more than a pixel each way.
cat >"$scratch/probe.html" <<PROBE
<iframe class="page" src="file://$page" width="1200" height="4000"></iframe>
<iframe class="page" src="file://$page" width="360" height="4000"></iframe>
$(printf '<iframe class="figure" src="file://%s" width="900" height="500"></iframe>\n' "${pages[@]}")
<script>
const box = e => e.getBoundingClientRect();
const meet = (a, b) =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
const isBlank = chart =>
  ![...chart.querySelectorAll('circle, .bar rect, .heat rect, path.curve')]
    .some(mark => box(mark).width + box(mark).height > 2);
const overlaps = chart => {
  const texts = [...chart.querySelectorAll('text')].filter(t => t.textContent);
  const found = [];
  texts.forEach((t, i) => {
    if (box(t).left < box(chart).left - 1 || box(t).right > box(chart).right + 1)
      found.push(t.textContent + ' leaves the chart');
    texts.slice(i + 1).forEach(other => {
      if (meet(box(t), box(other)))
        found.push(t.textContent + ' upon ' + other.textContent);
    });
  });
  return found;
};
const look = frame => {
  const inner = frame.contentDocument;
  const charts = [...inner.querySelectorAll('svg.chart')];
  inner.querySelectorAll('details').forEach(d => d.open = true);
  const bare = [...inner.querySelectorAll('figure')]
    .filter(f => !f.querySelector('table'));
  return {
    kind: frame.className, charts: charts.length,
    blank: charts.filter(isBlank).length, overlaps: charts.flatMap(overlaps),
    tables: inner.querySelectorAll('table').length, bare: bare.length,
    over: inner.documentElement.scrollWidth - frame.width,
  };
};
onload = () => {
  document.body.dataset.seen =
    JSON.stringify([...document.querySelectorAll('iframe')].map(look));
};
</script>
PROBE
# A browser that is busy may print the page before it is loaded.
for try in 1 2 3; do
  timeout 200 chromium --headless --no-sandbox --disable-gpu --disable-quic \
    --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --allow-file-access-from-files \
    --user-data-dir="$scratch/browser$try" --virtual-time-budget=10000 \
    --dump-dom "file://$scratch/probe.html" 2>"$scratch/browser.log" \
    >"$scratch/dom.html" || cat "$scratch/browser.log"
  ! grep -q data-seen= "$scratch/dom.html" || break
done
/usr/bin/python3 - "$scratch/dom.html" "${#pages[@]}" <<'PYTHON' || fail "look above; tries: $try"
import html
import json
import re
import sys

dom = open(sys.argv[1], encoding="utf-8").read()
seen = json.loads(html.unescape(re.search('data-seen="([^"]*)"', dom)[1]))
print(*seen, sep="\n")
wide, narrow, *figures = seen
for page in wide, narrow:
    assert page["charts"] == int(sys.argv[2]) >= 9, "charts on the page"
    assert page["tables"] >= page["charts"], "tables on the page"
    assert page["bare"] == 0, "figures without a table"
    assert page["over"] <= 0, "the page is wider than its window"
for view in seen:
    assert view["charts"] > 0 and view["blank"] == 0, "blank charts"
    assert view["overlaps"] == [], "texts overlap"
PYTHON
