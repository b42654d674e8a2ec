#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""usage: browser.py DIST

A published folder as a reader meets it, in headless Chromium: opened from file://, every page in turn, then the index
and its filter, the change of language, a number and its trail. Chromium is driven over a pipe (--remote-debugging-pipe),
so nothing but the Python standard library is needed. Ends with "N passed, N failed".
"""
import collections
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

NARROW, WIDE = 360, 1280
TIMEOUT = 60


class Browser:
    """One tab of Chromium and what happened in it."""

    def __init__(self, profile):
        to_read, self.out = os.pipe()
        self.inp, to_write = os.pipe()

        def place():  # Chromium reads commands from 3 and writes to 4
            a, b = os.dup(to_read), os.dup(to_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}", "--remote-debugging-pipe"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.reader = os.fdopen(self.inp, "rb", buffering=1 << 20)
        self.rest, self.number, self.session, self.events = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM", "Accessibility"):
            self.call(domain + ".enable")
        self.prefer("light")

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.inp, 1 << 20)
            if not more:
                raise SystemExit("chromium has gone")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.message())

    def prefer(self, scheme):
        """What the reader has chosen; without motion, or a click would meet a page that still scrolls."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                          {"name": "prefers-reduced-motion", "value": "reduce"}])

    def open(self, url, width):
        self.events = []
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url="about:blank")
        self.wait("Page.loadEventFired")
        self.events = []
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def complaints(self):
        """Errors of the console, and requests that left the folder."""
        found = []
        for e in self.events:
            name, p = e.get("method"), e.get("params", {})
            if name == "Runtime.exceptionThrown" or (name == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning")) \
                    or (name == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning", "assert")):
                found.append(json.dumps(p)[:300])
            if name == "Network.requestWillBeSent" and not p["request"]["url"].startswith(("file://", "data:", "about:")):
                found.append("asks for " + p["request"]["url"])
        return found

    def key(self, key, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def click(self, selector):
        """A real click in the middle of the first such element; waits for the page it leads to."""
        spot = self.run(f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{block: 'center', behavior: 'instant'}});
            const r = e.getClientRects()[0]; return [r.left + r.width / 2, r.top + r.height / 2]; }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)

    def follow(self, selector):
        self.events = []
        self.click(selector)
        self.wait("Page.loadEventFired")

    def close(self):
        self.session = None
        try:
            self.call("Browser.close")
        except (RuntimeError, OSError, SystemExit):
            pass
        try:
            self.process.wait(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()


passed = failed = 0


def ok(claim, holds, why=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAIL  {claim}\n      {str(why)[:600]}", file=sys.stderr)


# Text whose contrast with what lies behind it is below WCAG AA: 4.5, or 3 for large text.
CONTRAST = r"""(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgba = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const behind = (e) => { const all = []; for (; e; e = e.parentElement) all.push(rgba(getComputedStyle(e).backgroundColor));
    return all.reverse().reduce((base, c) => over(c, base), rgba('Canvas')); };
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255;
    return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const seen = new Map();
  for (const e of document.querySelectorAll('body *')) {
    const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!text || !e.getClientRects().length || e.closest('.skip, math, annotation, script, style')) continue;
    const style = getComputedStyle(e), key = e.tagName + e.className + style.color + style.fontSize;
    if (seen.has(key)) continue;
    const back = behind(e), front = over(rgba(style.color), back), a = light(front), b = light(back);
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    seen.set(key, ratio < (large ? 3 : 4.5) ? `${e.tagName}.${e.className} ${ratio.toFixed(2)} ${e.textContent.slice(0, 30)}` : null);
  }
  return {checked: seen.size, low: [...seen.values()].filter(Boolean)};
})()"""

SHOWN = "[...document.querySelectorAll('[data-find]')].filter((e) => e.checkVisibility()).length"


def every_page(b, dist):
    @functools.lru_cache(None)
    def anchors(path):
        return collections.Counter(re.findall(r'\sid="([^"]+)"', path.read_text(encoding="utf-8")))

    pages = sorted(dist.rglob("*.html"))
    ok("there are pages", len(pages) > 4, pages)
    for page in pages:
        name = page.relative_to(dist)
        text = page.read_text(encoding="utf-8")
        b.open(page.as_uri(), NARROW)
        ok(f"{name}: no complaint, no request", not b.complaints(), b.complaints())
        width = b.run("document.documentElement.scrollWidth")
        ok(f"{name}: does not scroll sideways at {NARROW} px", width <= NARROW, width)
        over = b.run("""[...document.querySelectorAll('td, th')].filter((e) => e.scrollWidth > e.clientWidth + 1)
            .map((e) => e.textContent.slice(0, 60))""")
        ok(f"{name}: no cell runs over its neighbour", not over, over[:5])
        ok(f"{name}: says its language", b.run("document.documentElement.lang") == ("zh-CN" if ".zh." in page.name else "en"))
        dead = []
        for href in set(re.findall(r'<a\s[^>]*?href="([^"]*)"', text)):
            if re.match(r"(https?|mailto):", href):
                continue
            goal, _, anchor = href.partition("#")
            to = (page.parent / goal).resolve() if goal else page
            if not to.is_file() or (anchor and to.suffix == ".html" and anchor not in anchors(to)):
                dead.append(href)
        ok(f"{name}: every link has its goal", not dead, dead[:5])
        doubles = [i for i, n in anchors(page).items() if n > 1]
        ok(f"{name}: no identifier twice", not doubles, doubles[:5])


def colours(b, dist, name):
    for scheme in ("light", "dark"):
        b.prefer(scheme)
        b.open((dist / name).as_uri(), WIDE)
        dark = b.run("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        ok(f"{name}: {scheme} when the reader wants it", dark == (scheme == "dark"))
        found = b.run(CONTRAST)
        ok(f"{name}, {scheme}: contrast AA", found["checked"] > 5 and not found["low"], found)
    b.prefer("light")


def filters(b, dist):
    b.open((dist / "index.html").as_uri(), WIDE)
    total = b.run("document.querySelectorAll('article').length")
    ok("the index shows all experiments", total > 0 and b.run(SHOWN) == total, total)
    sums = 0
    for status in b.run("[...document.querySelectorAll('input[name=status]')].map((e) => e.value).filter(Boolean)"):
        b.click(f"input[name=status][value={status}]")
        wanted = b.run(f"document.querySelectorAll('article[data-status={status}]').length")
        ok(f"status {status}: only those are shown", 0 < b.run(SHOWN) == wanted)
        ok(f"status {status}: and counted", b.run("document.querySelector('output').textContent") == str(wanted))
        sums += wanted
    ok("every experiment has one status", sums == total, sums)
    b.click("input[name=status][value='']")
    phases = b.run("[...document.querySelectorAll('input[name=phase]')].map((e) => e.value).filter(Boolean)")
    sums = 0
    for phase in phases:
        b.click(f"input[name=phase][value={json.dumps(phase)}]")
        sums += b.run(SHOWN)
    ok("every experiment has one phase", sums == total, sums)
    statuses = b.run("[...document.querySelectorAll('input[name=status]')].map((e) => e.value).filter(Boolean)")
    b.click(f"input[name=phase][value={json.dumps(phases[0])}]")
    b.click(f"input[name=status][value={statuses[0]}]")
    both = b.run(f"document.querySelectorAll('article[data-phase={json.dumps(phases[0])}][data-status={statuses[0]}]').length")
    ok("phase and status hold together", b.run(SHOWN) == both, both)
    b.click("input[name=status][value='']")
    b.click("input[name=phase][value='']")
    key = b.run("document.querySelector('article:last-of-type .claim code').textContent")
    b.run("document.querySelector('input[type=search]').focus()")
    b.call("Input.insertText", text=key.upper())
    ok("a key finds its experiment", b.run("[...document.querySelectorAll('article')].filter((e) => !e.hidden)"
                                           ".every((e) => e.textContent.includes(%s))" % json.dumps(key)) and b.run(SHOWN) > 0)
    b.call("Input.insertText", text=" nothing-has-this")
    ok("words that nothing has show nothing", b.run(SHOWN) == 0)


def keyboard(b, dist):
    b.open((dist / "index.html").as_uri(), WIDE)
    reached, rings = [], True
    for _ in range(16):
        b.key("Tab", 9)
        at = b.run("""(() => { const e = document.activeElement, ring = getComputedStyle(e.matches('label input') ? e.nextElementSibling : e);
            return [e.tagName + (e.name ? '[' + e.name + ']' : ''), ring.outlineStyle !== 'none']; })()""")
        reached.append(at[0])
        rings = rings and at[1]
    ok("Tab reaches search, filters and links", {"INPUT[text]", "INPUT[status]", "INPUT[phase]", "A"} <= set(reached), reached)
    ok("what has the focus shows it", rings)
    b.open((dist / "index.html").as_uri(), WIDE)
    b.run("document.querySelector('input[name=status]').focus()")
    b.key("ArrowRight", 39)
    ok("arrows choose a status", b.run(SHOWN) < b.run("document.querySelectorAll('article').length"))


EVERYTHING = """[...document.querySelectorAll('a[href], input, summary, [tabindex="0"]')]
    .filter((e) => e.checkVisibility() && !(e.type === 'radio' && !e.checked))"""


def everything(b, dist, name, width):
    """Tab comes by all that can be used, and each is then in sight."""
    b.open((dist / name).as_uri(), width)
    if name == "index.html":  # one experiment is as good as all
        b.run("document.querySelector('input[type=search]').focus()")
        b.call("Input.insertText", text="e01.")
        b.run("document.activeElement.blur(), window.getSelection().removeAllRanges(), scrollTo(0, 0)")
    total = b.run(f"window.left = new Set({EVERYTHING}), left.size")
    hidden = []
    for _ in range(total + 5):
        b.key("Tab", 9)
        at = b.run("""(() => { const e = document.activeElement, r = e.getBoundingClientRect(); left.delete(e);
            return [left.size, e === document.body || (r.bottom > 0 && r.top < innerHeight), e.outerHTML.slice(0, 80)]; })()""")
        if not at[1]:
            hidden.append(at[2])
        if at[0] == 0:
            break
    ok(f"{name} at {width} px: Tab reaches everything", total > 5 and at[0] == 0,
       b.run("[...left].map((e) => e.outerHTML.slice(0, 80)).join(' ')"))
    ok(f"{name} at {width} px: what has the focus is in sight", not hidden, hidden)


def targets(b, dist, name):
    b.open((dist / name).as_uri(), NARROW)
    small = b.run("""[...document.querySelectorAll('.bar a, .forms a, .filter label, .documents a, .contents a')]
        .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24).map((e) => e.outerHTML.slice(0, 80))""")
    ok(f"{name}: links in bars are at least 24 px high", not small, small[:5])


def languages(b, dist, name):
    for page in (f"reports/{name}", f"numbers/{name}", "reports/hub", "reports/audit"):
        b.open((dist / f"{page}.en.html").as_uri(), WIDE)
        b.follow(".bar a[hreflang=zh]")
        ok(f"{page} changes to Chinese and stays the same page", b.run("location.pathname").endswith(f"/{page}.zh.html"))
        b.follow(".bar a[hreflang=en]")
        ok(f"{page} changes back", b.run("location.pathname").endswith(f"/{page}.en.html"))
    b.open((dist / "index.html").as_uri(), WIDE)
    b.follow(".bar a[hreflang=zh]")
    ok("the index changes to Chinese", b.run("location.pathname").endswith("/index.zh.html"))
    b.follow(f"a[href='reports/{name}.zh.html']")
    ok("a report is opened in Chinese", b.run("document.documentElement.lang") == "zh-CN")
    b.follow(".bar a[hreflang=en]")
    ok("and changes to English", b.run("location.pathname").endswith(f"/{name}.en.html"))
    b.follow(".bar .home")
    ok("and leads back to the index", b.run("location.pathname").endswith("/index.html"))


TRAIL = ("program ", "commit ", "data train ", "frozen ")


def trails(b, dist, name):
    record = json.loads((dist / "numbers.json").read_text())[name]
    # From the index: the number is a link, and its goal tells everything.
    b.open((dist / "index.html").as_uri(), WIDE)
    key = b.run("document.querySelector('article#%s .findings a.num').title.split(' · ')[0]" % name[:3])
    b.follow(f"article#{name[:3]} .findings a.num")
    text = b.run("document.querySelector(':target')?.textContent || ''")
    ok("a number of the index leads to its trail", key in text and all(part in text for part in TRAIL), text)
    ok("which gives its value to the last digit", repr(record[key]["value"]) in text or f"{record[key]['value']:.17g}" in text, text)
    ok("and its seed", not record[key]["seed"] or str(record[key]["seed"]) in text, text)
    # From a report or view: number -> row of the table of provenance -> trail.
    numbers = json.loads((dist / "numbers.json").read_text())
    for page in (name, "summary", "hub"):
        b.open((dist / "reports" / f"{page}.en.html").as_uri(), WIDE)
        b.click("main a.num[href^='#n-']")
        row = b.run("document.querySelector(':target')?.closest('tr')?.textContent || ''")
        key = b.run("document.querySelector(':target')?.textContent || ''")
        ok(f"{page}: a number leads to its row", key in row and any(key in of for of in numbers.values()), row)
        records = b.run("document.querySelector('[id^=record-e]').closest('li').textContent")
        ok(f"{page}: below the rows stand program, commit and data",
           all(w in records for w in ("program", "git.commit", "data.train")), records)
        b.follow(":target a")
        text = b.run("document.querySelector(':target')?.textContent || ''")
        ok(f"{page}: the row leads on to the trail", key in text and all(part in text for part in TRAIL), text)


def main():
    if len(sys.argv) != 2 or not shutil.which("chromium"):
        print("usage: browser.py DIST; needs chromium", file=sys.stderr)
        return 2
    dist = pathlib.Path(sys.argv[1]).resolve()
    name = sorted(p.name for p in (dist / "records").iterdir())[0][:-3]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        b = Browser(profile)
        try:
            every_page(b, dist)
            for page in ("index.html", "index.zh.html", f"numbers/{name}.en.html", f"reports/{name}.en.html",
                         "reports/hub.en.html", "reports/audit.zh.html"):
                colours(b, dist, page)
                targets(b, dist, page)
            for page in ("index.html", "reports/kanban.en.html"):
                everything(b, dist, page, WIDE)
                everything(b, dist, page, NARROW)
            filters(b, dist)
            keyboard(b, dist)
            languages(b, dist, name)
            trails(b, dist, name)
        finally:
            b.close()
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main())
