"""The page as people use it, in a real browser: opened, clicked, searched, filtered, drilled into, with the keyboard alone."""

import re
from dataclasses import replace
from itertools import combinations

import pytest
from browser import browser, installed
from crowds import crowd

from podfence.analysis.connections import View, connections
from podfence.analysis.narrowing import Answer, Wanted
from podfence.analysis.workloads import Level
from podfence.cli import main
from podfence.cli.show.html import embedded, html
from podfence.cli.show.lines import Entry
from podfence.cli.show.placing import HEIGHT, RING, WIDTH, placed
from podfence.errors import UsageError
from podfence.manifests.assume import assume
from podfence.model.policy import Place
from podfence.sources import read

chromium_only = pytest.mark.skipif(not installed(), reason="no chromium on this machine")
SHOP = "examples/retail-store"
HOSTILE = '</script><img src=x onerror="window.owned=1">\u202e<b>&amp;'


def snapshot_of(*sources):
    return assume(read(sources)).snapshot


def page_of(snapshot, wanted=None, by=Level.WORKLOAD, more=()):
    return "".join(html(Answer(connections(snapshot, View(by)), wanted or Wanted()), more))


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    path = tmp_path_factory.mktemp("shop") / "page.html"
    path.write_text(page_of(snapshot_of(SHOP)))
    return path


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    path = tmp_path_factory.mktemp("crowd")
    (path / "cluster.json").write_text(crowd(500))
    (path / "page.html").write_text(page_of(snapshot_of(str(path / "cluster.json"))))
    return path / "page.html"


@pytest.fixture
def page(chromium, shop):
    opened = chromium.open(shop)
    yield opened
    assert opened.complaints() == []


def number(page, label):
    return page.run(f"ENDS.findIndex((end) => end.label === {label!r})")


def cell(page, source, destination):
    """Where on the screen a pair is."""
    row, column = number(page, source), number(page, destination)
    return page.run(
        "(() => { const box = canvas.getBoundingClientRect(), half = grid.size / 2;"
        f"return [box.x + leftOf({column}) + half, box.y + topOf({row}) + half]; }})()"
    )


@chromium_only
def test_the_summary_counts_what_reach_lists(page):
    lines = sum(1 for _ in connections(snapshot_of(SHOP)))
    assert f"10 workloads in 6 namespaces; {lines} of " in page.text("#summary")


@chromium_only
def test_a_click_on_a_cell_explains_the_pair(page):
    page.click_at(*cell(page, "carts", "orders"))
    told = page.text("#panel")
    assert "carts/carts[Deployment] → orders/orders[Deployment]" in told
    assert "DENIED" in told
    assert re.search(r"6-allow-order-ingress-success-debug\.yaml:\d+", told)
    assert "To allow TCP 8080, add {namespaceSelector" in told


@chromium_only
def test_the_way_back_is_one_click(page):
    page.click_at(*cell(page, "carts", "orders"))
    page.click("#panel .actions button")
    assert "orders/orders[Deployment] → carts/carts[Deployment]" in page.text("#panel h2")
    assert "ALLOWED" in page.text("#panel")


@chromium_only
def test_the_pointer_tells_what_is_under_it(page):
    page.move_to(*cell(page, "ui", "catalog"))
    assert page.text("#tip").split("\n") == [
        "ui/ui[Deployment] → catalog/catalog[Deployment]",
        "All Connections",
    ]


@chromium_only
def test_the_keyboard_alone_leads_to_an_explanation(page):
    page.run("byId('tab-matrix').focus()")
    for _ in range(20):
        if page.run("document.activeElement === canvas"):
            break
        page.press("Tab")
    page.press("Home", ctrl=True)
    page.press("ArrowRight")
    said = page.text("#live")
    assert said.startswith("carts/carts[Deployment] → carts/carts-dynamodb[StatefulSet]")
    page.press("ArrowRight", ctrl=True)
    assert "→ catalog/catalog[Deployment]" in page.text("#live")
    page.press("Enter")
    assert "carts/carts[Deployment] → catalog/catalog[Deployment]" in page.text("#panel h2")
    page.press("End")
    assert "[External]" in page.text("#live")


@chromium_only
def test_arrows_move_between_tabs(page):
    page.run("byId('tab-matrix').focus()")
    page.press("ArrowRight")
    assert page.run("[view.tab, document.activeElement.id]") == ["map", "tab-map"]
    page.press("ArrowLeft")
    assert page.run("byId('tab-matrix').getAttribute('aria-selected')") == "true"


@chromium_only
def test_search_narrows_the_list_and_clear_undoes_it(page):
    page.click("#tab-list")
    page.click("#search")
    page.type("mysql")
    rows = page.run("[...document.querySelectorAll('#pairs tr')].map((row) => row.innerText)")
    assert rows
    assert all("mysql" in row for row in rows)
    page.run("byId('side').value = 'to'; byId('side').dispatchEvent(new Event('change'))")
    sources = page.run(
        "[...document.querySelectorAll('#pairs tr td:nth-child(2)')].map((each) => each.innerText)"
    )
    assert set(sources) == {"catalog/catalog-mysql[StatefulSet]"}
    page.click("#clear")
    assert page.run("document.querySelectorAll('#pairs tr').length") == 95


@chromium_only
def test_denied_pairs_are_listed_and_explained_too(page):
    page.click("#tab-list")
    page.run("byId('verdict').value = 'denied'; byId('verdict').dispatchEvent(new Event('change'))")
    assert page.text("#amount") == "35 pairs"
    page.click("#pairs button")
    assert "DENIED" in page.text("#panel")


@chromium_only
def test_a_port_filter_keeps_what_passes_on_it(chromium, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(snapshot_of("examples/seed", "examples/seed-world")))
    page = chromium.open(path)
    page.click("#port")
    page.type("6379/TCP")
    into = number(page, "db")
    source = number(page, "frontend")
    assert page.run(f"shares()[portsOf({source}, {into})]") == "all"
    page.run("byId('port').value = ''")
    page.type("6380")
    assert page.run(f"shares()[portsOf({source}, {into})]") == "none"
    page.type("/ICMPX")
    assert "no protocol with ports" in page.text("#port-problem")
    assert page.run("byId('port').getAttribute('aria-invalid')") == "true"
    assert page.complaints() == []


@chromium_only
def test_the_map_leads_to_workloads_and_back(page):
    page.click("#tab-map")
    assert page.run("document.querySelectorAll('#map .box').length") == 7
    page.click("#map .box[aria-label^='orders']")
    assert page.text("#trail").split()[-1] == "orders"
    page.click("#map .box[aria-label^='orders-postgresql']")
    assert "orders-postgresql" in page.text("#trail")
    page.click("#map .box[aria-label^='carts/carts,']")
    assert "carts/carts[Deployment] → orders/orders-postgresql[StatefulSet]" in page.text("#panel h2")
    page.click("#trail button")
    assert page.run("document.querySelectorAll('#map .box').length") == 7


@chromium_only
def test_a_line_of_the_map_lists_its_pairs(page):
    page.click("#tab-map")
    page.run(
        "[...document.querySelectorAll('#map .way')].find((way) => way.querySelector('text'))"
        ".dispatchEvent(new MouseEvent('click'))"
    )
    assert re.match(r"\d pairs? allowed; \d pairs? denied", page.text("#panel h2"))
    page.click("#panel .row")
    assert "ALLOWED" in page.text("#panel")


@chromium_only
def test_boxes_of_the_map_answer_to_the_keyboard(page):
    page.click("#tab-map")
    page.run("document.querySelector('#map .box[aria-label^=ui]').focus()")
    assert "→ 1 of 2" in page.run("document.querySelector('#map .box[aria-label^=catalog]').textContent")
    page.press("Enter")
    assert page.run("document.activeElement.closest('#trail') !== null")


@chromium_only
def test_light_and_dark_follow_the_system_and_the_button(chromium, shop):
    grounds = [chromium.open(shop, scheme=scheme).run("cssOf('--ground')") for scheme in ("light", "dark")]
    assert len(set(grounds)) == 2
    page = chromium.open(shop, scheme="dark")
    page.click("#theme")
    assert page.run("cssOf('--ground')") == grounds[0]


@chromium_only
def test_it_prints(page):
    page.click("#tab-list")
    assert page.printed().startswith(b"%PDF")


@chromium_only
def test_names_are_text_whatever_they_are(chromium, tmp_path):
    world = snapshot_of("examples/seed", "examples/seed-world")
    pods = {
        key: replace(pod, labels={**pod.labels, HOSTILE: HOSTILE}, owner=None)
        for key, pod in world.pods.items()
    }
    first, *rest = pods.values()
    renamed = [
        replace(first, name=HOSTILE),
        *(
            replace(pod, name=name)
            for pod, name in zip(rest, ("__proto__", "constructor", "toString"), strict=False)
        ),
        *rest[3:],
    ]
    policies = [
        replace(policy, name=HOSTILE, places={"": Place(HOSTILE, 1)}) for policy in world.policies.values()
    ]
    hostile = replace(world, pods={pod.key: pod for pod in renamed}).with_policies(policies)
    path = tmp_path / "page.html"
    path.write_text(page_of(hostile))
    page = chromium.open(path)
    for _, place in enumerate(
        ("{ kind: 'all' }", "{ kind: 'space', number: 0 }", "{ kind: 'end', number: 0 }")
    ):
        page.run(f"show({{ tab: 'map', place: {place} }})")
    page.run("show({ tab: 'list' })")
    page.run("eachPair((from, to) => show({ chosen: { kind: 'pair', from, to } }))")
    assert page.run("[typeof window.owned, document.querySelectorAll('img, b').length]") == ["undefined", 0]
    assert '<img src=x onerror="window.owned=1">' in page.text("#pairs")
    assert "\u202e" not in page.run("document.body.innerText")
    assert page.complaints() == []


def test_json_cannot_leave_its_element():
    assert "<" not in embedded({HOSTILE: [HOSTILE]})


def test_the_page_asks_the_network_for_nothing(shop):
    text = shop.read_text()
    assert "default-src 'none'" in text
    assert not re.search(
        r"""(?:src|href)=["'](?!#)""",
        re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL),
    )


@chromium_only
def test_five_hundred_workloads_answer_at_once(chromium, crowded):
    assert crowded.stat().st_size < 3_000_000
    page = chromium.open(crowded)
    assert page.text("#summary").startswith("500 workloads in 25 namespaces")
    actions = (
        "show({ search: 'app-4' })", "show({ search: '', port: portWanted('8001') })", "show({ port: null })", "zoom(1.5)", "zoom(3)", "step(1, 1)",
        "show({ chosen: { kind: 'pair', from: 3, to: 77 } })", "show({ tab: 'map' })", "show({ place: { kind: 'space', number: 3 } })",
        "show({ place: { kind: 'end', number: 30 } })", "show({ tab: 'list' })",
    )  # fmt: skip
    for action in actions:
        taken = page.run(
            f"[1, 2, 3].map(() => {{ const start = performance.now(); {action}; return performance.now() - start; }})"
        )
        assert min(taken) < 200, (action, taken)
    assert page.complaints() == []


@chromium_only
def test_a_large_map_draws_no_hairball(chromium, crowded):
    page = chromium.open(crowded)
    page.click("#tab-map")
    assert page.run("document.querySelectorAll('#map .way').length") == 0
    page.run("document.querySelector('#map .box').focus()")
    assert 0 < page.run("document.querySelectorAll('#map .way').length") <= 52


@pytest.mark.parametrize("amount", [1, 2, 7, RING, RING + 1, 40, 200])
def test_boxes_stand_apart_and_inside(amount):
    plan = placed(amount)
    assert len(plan.spots) == amount
    for one, other in combinations(plan.spots, 2):
        assert abs(one.x - other.x) >= WIDTH + 8 or abs(one.y - other.y) >= HEIGHT + 8
    assert all(0 <= x <= plan.width - WIDTH and 0 <= y <= plan.height - HEIGHT for x, y in plan.spots)


@chromium_only
def test_namespaces_are_a_page_without_reasons(chromium, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(snapshot_of(SHOP), by=Level.NAMESPACE))
    page = chromium.open(path)
    page.run("show({ chosen: { kind: 'pair', from: 0, to: 1 } })")
    assert "--by workload" in page.text("#panel")
    page.click("#tab-map")
    assert page.complaints() == []


@chromium_only
def test_more_lines_have_ends_of_their_own(chromium, tmp_path):
    found = connections(snapshot_of(SHOP))
    path = tmp_path / "page.html"
    path.write_text(
        "".join(
            html(
                Answer(found),
                [
                    Entry(
                        "{ingress-controller}",
                        "ui/ui[Deployment]",
                        found.between(found.ends[2], found.ends[3]),
                    )
                ],
            )
        )
    )
    page = chromium.open(path)
    page.run(
        f"show({{ chosen: {{ kind: 'pair', from: {number(page, '{ingress-controller}')}, to: {number(page, 'ui')} }} }})"
    )
    assert "{ingress-controller} → ui/ui[Deployment]" in page.text("#panel h2")
    assert page.complaints() == []


@chromium_only
def test_what_was_not_asked_is_not_called_denied(chromium, tmp_path):
    found = connections(snapshot_of(SHOP))
    ui = frozenset({found.numbers["ui/ui[Deployment]"]})
    path = tmp_path / "page.html"
    path.write_text("".join(html(Answer(found, Wanted(sources=ui)))))
    page = chromium.open(path)
    mine = number(page, "ui")
    assert page.run(f"ROWS.every((row, from) => from === {mine} || row.every((cell) => cell === UNASKED))")


def test_too_many_ends_are_refused_with_a_way_out(monkeypatch):
    monkeypatch.setattr("podfence.cli.show.html.MOST_ENDS", 11)
    with pytest.raises(UsageError, match=r"up to 11 ends, and here are 12.*--by namespace"):
        page_of(snapshot_of(SHOP))


def test_the_command_writes_the_page(capsys):
    assert main(["reach", SHOP, "-o", "html"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")
