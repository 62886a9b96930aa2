"""Reading a gate file: what the language says, and every mistake at once."""

from __future__ import annotations

import pytest
from gates_builders import GATE, HEAD, P99, check_gate, gate, problem, problems

from bizra_gate import gates
from bizra_gate.attest import keyring
from bizra_gate.errors import DefinitionError
from bizra_gate.gates import sections
from bizra_gate.model import Baseline, ClosedLoop, OpenLoop, Policy, Signers, Stage, Warmup

FULL = """
name  = "circuit-breaker"
claim = "A guarded call is served 300,000 times a second, 99 in 100 within 1.5 ms"
owner = "perf@example.com"

[measure]
target   = "http://127.0.0.1:8080/guarded"
load     = { loop = "closed", concurrency = 64 }
warmup   = "30s"
duration = "120s"
runs     = 1

[evidence]
artifact = "artifacts/circuit-breaker.json"
kind     = "benchmark"
max_age  = "180d"
signers  = { role = "benchmark", threshold = 1 }

[policy]
min_duration = "120s"
min_warmup   = "30s"

[[check]]
metric   = "throughput"
pass     = ">= 300k/s"
warn     = ">= 270k/s"
severity = "must"
weight   = 2

[[check]]
metric   = "latency.p99"
pass     = "<= 1.5 ms"
baseline = { ref = "git:origin/main", max_regression = "5 %" }
controls = ["soc2:CC7.2"]
why      = "a slower breaker is an outage of its own"
owner    = "oncall@example.com"
min_samples = 10000
confidence  = 0.99
"""


# ── what a gate says ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_whole_gate_reads_as_it_is_written() -> None:
    read = gate(FULL)
    assert (read.name, read.owner, read.file) == ("circuit-breaker", "perf@example.com", "gates/checkout.toml")
    assert read.plan is not None
    assert read.plan.load == ClosedLoop(64)
    assert (read.plan.warmup, read.plan.duration_ns) == (Warmup(30_000_000_000), 120_000_000_000)
    (spec,) = read.evidence
    assert (spec.max_age_ns, spec.signers) == (180 * 86_400 * 10**9, Signers("benchmark", 1))
    throughput, p99 = read.checks
    assert (throughput.weight, throughput.severity, throughput.confidence) == (2.0, "must", 0.95)
    assert p99.baseline == Baseline("git:origin/main", 0.05)
    assert (p99.controls, p99.min_samples, p99.confidence) == (("soc2:CC7.2",), 10_000, 0.99)


def test_the_least_gate_is_a_name_a_claim_and_a_check() -> None:
    read = gate(GATE)
    assert read.policy == Policy()
    assert read.plan is None
    assert read.evidence[0].artifacts == ("artifacts/checkout.json",)
    assert read.evidence[0].max_age_ns is None


def test_a_check_is_called_as_its_metric_and_a_latency_by_its_percentile() -> None:
    text = HEAD + P99 + '[[check]]\nmetric = "service.p50"\npass = "<= 1 ms"\n[[check]]\nid = "tail"\n'
    read = gate(text + 'metric = "latency.p99.9"\npass = "<= 9 ms"\n')
    assert [check.id for check in read.checks] == ["p99", "service.p50", "tail"]


def test_the_policy_sets_the_confidence_of_checks_that_say_nothing() -> None:
    read = gate(f'{HEAD}[policy]\nconfidence = "99 %"\n{P99}')
    assert read.checks[0].confidence == 0.99


def test_evidence_asks_by_default_for_a_signer_of_its_own_kind() -> None:
    read = gate(f'{HEAD}[evidence]\nkind = "tests"\n[[check]]\nmetric = "tests.failed"\npass = "== 0"\n')
    assert read.evidence[0].signers == Signers("tests", 1)


def test_several_pieces_of_evidence_are_told_apart_by_name() -> None:
    read = gate(
        HEAD
        + '[[evidence]]\nname = "load"\nartifacts = ["artifacts/a.json", "artifacts/b.json"]\nquorum = 1\n'
        + '[[evidence]]\nname = "unit"\nkind = "tests"\nartifact = "artifacts/t.json"\n'
        + '[[check]]\nmetric = "latency.p99"\npass = "<= 2 ms"\nevidence = "load"\n'
        + '[[check]]\nmetric = "tests.passed"\npass = ">= 110"\nevidence = "unit"\n'
    )
    assert [(spec.name, spec.kind, spec.quorum) for spec in read.evidence] == [
        ("load", "benchmark", 1),
        ("unit", "tests", None),
    ]
    assert [check.evidence for check in read.checks] == ["load", "unit"]


def test_sources_of_the_measurement_bind_its_evidence() -> None:
    read = gate(f'{HEAD}[measure]\ntarget = "py:app:run"\nsources = ["src/**/*.py"]\n{P99}')
    assert read.evidence[0].sources == ("src/**/*.py",)


@pytest.mark.parametrize(
    ("lines", "load"),
    [
        ('load = { loop = "closed", concurrency = 8, think = "10ms" }', ClosedLoop(8, 10_000_000)),
        ('load = { loop = "open", rate = "5k/s", arrivals = "poisson" }', OpenLoop(5000.0, "poisson")),
        (
            'load = { loop = "open", rate = "5k/s", max_in_flight = 8, seed = 7 }',
            OpenLoop(5000.0, max_in_flight=8, seed=7),
        ),
        (
            'load = { loop = "open", stages = "10s@1k/s, 30s@1k/s..5k/s" }',
            OpenLoop(2500.0, stages=(Stage(10**10, 1000, 1000), Stage(3 * 10**10, 1000, 5000))),
        ),
        ("", ClosedLoop(1)),
    ],
)
def test_a_load_is_closed_or_open(lines: str, load: object) -> None:
    read = gate(f'{HEAD}[measure]\ntarget = "http://127.0.0.1/"\n{lines}\n{P99}')
    assert read.plan is not None
    assert read.plan.load == load


def test_stages_say_how_long_the_measurement_lasts() -> None:
    staged = 'load = { loop = "open", stages = "10s@1k/s, 60s@5k/s" }'
    read = gate(f'{HEAD}[measure]\ntarget = "http://127.0.0.1/"\n{staged}\n{P99}')
    assert read.plan is not None
    assert read.plan.duration_ns == 70 * 10**9
    said = problem(f'{HEAD}[measure]\ntarget = "http://127.0.0.1/"\n{staged}\nduration = "60s"\n{P99}')
    assert "measure.duration" in said
    assert "1 min 10 s" in said or "70 s" in said


def test_stages_begin_after_a_warm_up_of_fixed_length() -> None:
    staged = 'load = { loop = "open", stages = "10s@1k/s" }\n'
    adaptive = 'warmup = { at_least = "1s", until_steady = true, at_most = "9s" }\n'
    said = problem(f'{HEAD}[measure]\ntarget = "http://127.0.0.1/"\n{staged}{adaptive}{P99}')
    assert "measure.warmup.until_steady" in said
    assert "fixed length" in said


def test_a_warm_up_may_go_on_until_the_series_is_steady() -> None:
    lines = 'warmup = { at_least = "10s", until_steady = true, at_most = "300s" }'
    read = gate(f'{HEAD}[measure]\ntarget = "py:app:run"\n{lines}\n{P99}')
    assert read.plan is not None
    assert read.plan.warmup == Warmup(10 * 10**9, True, 300 * 10**9)


def test_http_options_are_read() -> None:
    options = """
    [measure.http]
    method = "POST"
    headers = { Accept = "application/json", X-Id = "{id}" }
    body = '{"id": {id}}'
    expect_status = [200, 201]
    expect_body = "ok"
    verify_tls = false
    data = "bench/rows.csv"
    fields = { id = "zipf(1.1, 1000)" }
    """
    read = gate(f'{HEAD}[measure]\ntarget = "https://localhost/"\n{options}\n{P99}')
    assert read.plan is not None
    http = read.plan.http
    assert http is not None
    assert http.headers == (("Accept", "application/json"), ("X-Id", "{id}"))
    assert (http.method, http.expect_status, http.verify_tls) == ("POST", (200, 201), False)
    assert (http.data, dict(http.fields)) == ("bench/rows.csv", {"id": "zipf(1.1, 1000)"})


def test_command_options_are_read() -> None:
    options = '[measure.command]\nprepare = "sync"\nexpect_exit = [0, 1]\nparameters = { size = ["1", "2"] }\n'
    read = gate(f'{HEAD}[measure]\ntarget = "cmd:./run {{size}}"\n{options}{P99}')
    assert read.plan is not None
    command = read.plan.command
    assert command is not None
    assert (command.prepare, command.expect_exit, dict(command.parameters)) == ("sync", (0, 1), {"size": ("1", "2")})


# ── every mistake at once ────────────────────────────────────────────────────────────────────────────────────────


def test_twenty_mistakes_are_told_at_once_each_with_its_place() -> None:
    text = """
    nam = "x"
    claim = 5
    [measure]
    target = "htp://x"
    load = { loop = "opn", rat = "5k", concurrency = 64 }
    warmup = "30"
    duration = 120
    runs = 0
    [evidence]
    artifact = "../artifacts/x.json"
    knd = "benchmark"
    max_age = "180"
    signers = { role = "benchmark", treshold = 1 }
    [policy]
    min_duration = nan
    [[check]]
    metric = "throughputt"
    pass = ">= 300k/s"
    [[check]]
    metric = "latency.p99"
    pass = "<= 250"
    weight = -1
    [[check]]
    metric = "latency.p99"
    pass = ">= 250 ms"
    """
    places = [said.split(": ")[1] for said in problems(text)]
    assert set(places) == {
        "name", "nam", "claim", "measure.target", "measure.load.loop", "measure.load.rat", "measure.warmup",
        "measure.duration", "measure.runs", "evidence.artifact", "evidence.knd", "evidence.max_age",
        "evidence.signers.treshold", "policy.min_duration", "check[0].metric", "check[1].pass", "check[1].weight",
        "check[2].pass", "check[2].id",
    }  # fmt: skip
    assert len(places) == len(set(places))


def test_a_bare_number_for_a_time_is_told_what_to_write() -> None:
    said = problem(f'{HEAD}[[check]]\nmetric = "latency.p99"\npass = "<= 250"\n')
    assert said.startswith('gates/checkout.toml: check[0].pass: got "<= 250"; expected ')
    assert said.endswith('latency.p99 is a time. Write "<= 250 ms".')


def test_a_check_of_evidence_that_there_is_not_has_its_other_mistakes_told_too() -> None:
    said = problems(f'{HEAD}[[check]]\nmetric = "error_rate"\npass = "<= 0 %"\nevidence = "nope"\n')
    assert [one.split(": ")[1] for one in said] == ["check[0].evidence", "check[0].pass"]


def test_a_role_that_no_key_can_have_is_refused_with_the_nearest() -> None:
    said = problem(f'{HEAD}[evidence]\nsigners = {{ role = "benchmrk" }}\n{P99}')
    assert said.startswith('gates/checkout.toml: evidence.signers.role: got "benchmrk"; expected a role of the keyring')
    assert said.endswith('Did you mean "benchmark"?')


def test_the_roles_of_signers_are_those_of_the_keyring() -> None:
    assert set(sections.ROLES) == set(keyring.ROLES) - {keyring.EVERY_ROLE}


def test_an_unknown_key_names_the_nearest_one() -> None:
    assert 'Did you mean "severity"?' in problem(f'{GATE}severty = "must"\n')
    assert 'Did you mean "max_age"?' in problem(f'{HEAD}[evidence]\nmaxage = "3d"\n{P99}')


def test_an_unknown_metric_names_the_nearest_one() -> None:
    assert 'Did you mean "latency.p99"?' in problem(GATE.replace("latency.p99", "latncy.p99"))


def test_a_metric_of_another_kind_of_evidence_is_recognised() -> None:
    said = problem(f'{HEAD}[[check]]\nmetric = "tests.passed"\npass = ">= 110"\n')
    assert 'tests.passed is a metric of kind = "tests", and this evidence is of kind = "benchmark"' in said


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (HEAD, "check", "would be green for nothing"),
        (f"check = []\n{HEAD}", "check", "would be green for nothing"),
        (f'check = "p99"\n{HEAD}', "check", "[[check]]"),
        (f"check = [1]\n{HEAD}", "check", "[[check]]"),
        (GATE.replace('name = "checkout"', ""), "name", "that no other gate has"),
        (GATE.replace('"checkout"', '""'), "name", "not empty"),
        (GATE.replace('"checkout"', '"a\\u001b[31mb"'), "name", "without control characters"),
        (GATE.replace('"checkout"', '"a\\u202eb"'), "name", "without control characters"),
        (GATE.replace('"checkout"', '"a\\nb"'), "name", "on one line"),
        (f'{HEAD}[[check]]\npass = "<= 1 ms"\n', "check[0].metric", "the metric that this check is about"),
        (f'{HEAD}[[check]]\nmetric = "latency.p99"\n', "check[0].pass", "a baseline, or both"),
        (f'{GATE}warn = "<= 1 ms"\n', "check[0].warn", "laxer than pass"),
        (f"{GATE}weight = inf\n", "check[0].weight", "a number from 0 to 1000"),
        (f"{GATE}weight = true\n", "check[0].weight", "a number from 0 to 1000"),
        (f"{GATE}confidence = 95\n", "check[0].confidence", 'Write "95 %"'),
        (f'{GATE}severity = "blocker"\n', "check[0].severity", '"must", "should", "info"'),
        (f"{GATE}min_samples = 0\n", "check[0].min_samples", "a whole number from 1"),
        (f"{GATE}pass_ = 1\n", "check[0].pass_", 'Did you mean "pass"?'),
        (GATE.replace('"<= 2 ms"', "2"), "check[0].pass", 'a limit as text, such as "<= 250 ms"'),
        (f'{GATE}baseline = {{ ref = "git:", max_regression = "5 %" }}\n', "check[0].baseline.ref", "git:origin/main"),
        (f'{GATE}baseline = {{ ref = "git:main" }}\n', "check[0].baseline.max_regression", "how much worse"),
        (f'{GATE}baseline = {{ ref = "git:main", max_regression = 5 }}\n', "check[0].baseline.max_regression", '"5 %"'),
        (f'{GATE}baseline = {{ ref = "../x", max_regression = "5 %" }}\n', "check[0].baseline.ref", "artifact's path"),
        (f'{GATE}baseline = {{ ref = "gt:main", max_regression = 0 }}\n', "check[0].baseline.ref", '"git:main"'),
        (f'{GATE}baseline = {{ ref = "last-shiped", max_regression = 0 }}\n', "check[0].baseline.ref", "Did you mean"),
        (f"{GATE}confidence = 1.5\n", "check[0].confidence", "to 99.99 %"),
        (GATE.replace("latency.p99", "p99"), "check[0].metric", 'Did you mean "latency.p99"?'),
        (
            f'{HEAD}[measure]\ntarget = "py:a:b"\n{P99}baseline = {{ ref = "against", max_regression = 0 }}\n',
            "check[0].baseline.ref",
            "[measure] has no against",
        ),
        (
            f'{HEAD}[measure]\ntarget = "py:a:b"\n{P99}'.replace("<= 2 ms", "<= 2 x against.latency.p50"),
            "check[0].pass",
            "[measure] has no against",
        ),
        (f'{GATE}baseline = "git:main"\n', "check[0].baseline", "[check[0].baseline]"),
        (f'{GATE}evidence = "other"\n', "check[0].evidence", '"evidence"'),
        (f'{GATE}controls = ["\\u0007"]\n', "check[0].controls", "without control"),
        (f'{HEAD}[evidence]\nartifact = "/etc/passwd"\n{P99}', "evidence.artifact", "relative to the repository"),
        (f'{HEAD}[evidence]\nartifact = "C:\\\\x.json"\n{P99}', "evidence.artifact", "with /"),
        (f'{HEAD}[evidence]\nartifact = "artifacts/*.json"\n{P99}', "evidence.artifact", "deleting the bad one"),
        (f"{HEAD}[evidence]\nartifacts = []\n{P99}", "evidence.artifacts", "at least one artifact"),
        (f'{HEAD}[evidence]\nartifacts = ["a.json", "a.json"]\n{P99}', "evidence", "a copy is no second piece"),
        (f'{HEAD}[evidence]\nartifact = "a.json"\nquorum = 2\n{P99}', "evidence.quorum", "from 1 to 1"),
        (f'{HEAD}[evidence]\nartifact = "a.json"\nartifacts = ["b.json"]\n{P99}', "evidence.artifacts", "not both"),
        (f'{HEAD}[evidence]\nkind = "benchmrk"\n{P99}', "evidence.kind", 'Did you mean "benchmark"?'),
        (f"{HEAD}[evidence]\nrequired = false\n{P99}", "check[0].severity", "is not required"),
        (f"{HEAD}[policy]\nmax_error_rate = 5\n{P99}", "policy.max_error_rate", 'Write "5 %"'),
        (f'{HEAD}[policy]\nmin_duration = "120"\n{P99}', "policy.min_duration", 'Write "120s"'),
        (f"{HEAD}[policy]\nmin_duration = 120\n{P99}", "policy.min_duration", 'Write "120s"'),
        (f"policy = 3\n{HEAD}{P99}", "policy", "Write [policy]"),
        (f'{HEAD}[measure]\nduration = "9s"\n{P99}', "measure.target", "py:module:attr"),
        (f'{HEAD}[measure]\ntarget = "py:app"\n{P99}', "measure.target", "py:module:attr"),
        (f'{HEAD}[measure]\ntarget = "cmd:"\n{P99}', "measure.target", "cmd:"),
        (f'{HEAD}[measure]\ntarget = "py:a:b"\nduration = "200d"\n{P99}', "measure.duration", "to 100 d"),
        (f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ loop = "open" }}\n{P99}', "measure.load.rate", "5k/s"),
        (f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ concurrency = 2 }}\n{P99}', "measure.load.loop", '"open"'),
        (
            f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ loop = "open", rate = "1/s", concurrency = 2 }}\n{P99}',
            "measure.load.concurrency",
            "max_in_flight",
        ),
        (
            f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ loop = "open", stages = "10s" }}\n{P99}',
            "measure.load.stages",
            "DURATION@RATE",
        ),
        (f'{HEAD}[measure]\ntarget = "py:a:b"\nworkers = 4\n{P99}', "measure.workers", "each worker needs"),
        (f'{HEAD}[measure]\ntarget = "py:a:b"\n[measure.http]\nbody = "x"\n{P99}', "measure.http", "not http://"),
        (
            f'{HEAD}[measure]\ntarget = "py:a:b"\nwarmup = {{ until_steady = true }}\n{P99}',
            "measure.warmup.at_most",
            "for ever",
        ),
        (
            f'{HEAD}[measure]\ntarget = "http://h/"\n[measure.http]\nheaders = {{ "a b" = "c" }}\n{P99}',
            "measure.http.headers.a b",
            "name of an HTTP header",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place_and_what_was_expected(text: str, place: str, says: str) -> None:
    said = problem(text)
    assert said.startswith(f"gates/checkout.toml: {place}: got ")
    assert says in said


def test_a_check_of_one_among_several_pieces_of_evidence_says_which() -> None:
    two = '[[evidence]]\nname = "a"\nartifact = "a.json"\n[[evidence]]\nname = "b"\nartifact = "b.json"\n'
    assert 'check[0].evidence: got nothing; expected the name of one of this gate\'s evidence: "a", "b"' in problem(
        HEAD + two + P99
    )


def test_several_pieces_of_evidence_need_different_names() -> None:
    two = '[[evidence]]\nname = "a"\nartifact = "a.json"\n[[evidence]]\nname = "a"\nartifact = "b.json"\n'
    assert any("evidence[1].name" in said for said in problems(f'{HEAD}{two}{P99}evidence = "a"\n'))


def test_a_warning_band_needs_a_limit_to_lie_beside() -> None:
    assert any(
        "check[0].warn" in said and "a pass beside it" in said for said in problems(GATE.replace("pass", "warn"))
    )


def test_two_checks_of_one_metric_need_an_id() -> None:
    said = problem(GATE + P99)
    assert 'check[1].id: got "p99" again (see check[0])' in said
    assert 'Give this check an id, for example "p99-strict".' in said


def test_a_baseline_needs_a_metric_with_a_direction() -> None:
    text = (
        f'{HEAD}[[check]]\nmetric = "concurrency.mean"\npass = "<= 80"\n'
        'baseline = { ref = "git:main", max_regression = "5 %" }\n'
    )
    assert "neither better when lower nor when higher" in problem(text)


@pytest.mark.parametrize("text", ["name = ", "name = 'a'\nname = 'b'", "[check]\n[[check]]", "\x00", "a = 1e", "é"])
def test_what_is_no_toml_is_refused_in_one_sentence(text: str) -> None:
    assert "no TOML" in problem(text)


def test_nesting_without_end_is_refused() -> None:
    assert "nested too deeply" in problem("a = " + "[" * 100_000)


def test_a_number_of_ten_thousand_digits_is_refused() -> None:
    with pytest.raises(DefinitionError):
        gate(f"{GATE}min_samples = {'9' * 10_000}\n")


def test_a_file_of_a_million_characters_is_refused() -> None:
    assert "a gate file of at most" in problem("#" * 1_000_001)


def test_messages_cannot_move_the_cursor() -> None:
    text = GATE + '"\\u001b[2J" = 1\n' + '"\\u009b" = "\\u009b"\n'
    assert all("\x1b" not in said and "\x9b" not in said for said in problems(text))


# ── gates beside each other ──────────────────────────────────────────────────────────────────────────────────────


def test_two_files_with_one_name_are_refused_with_both_files() -> None:
    one, other = gate(file="gates/a.toml"), gate(file="gates/b.toml")
    with pytest.raises(DefinitionError) as caught:
        gates.check_set([one, other])
    (said,) = map(str, caught.value.problems)
    assert said.startswith('gates/b.toml: name: got "checkout", which is the name of gates/a.toml too')


def test_gates_of_different_names_stand_beside_each_other() -> None:
    gates.check_set([gate(), gate(GATE.replace("checkout", "basket"), file="gates/basket.toml")])


def test_a_check_may_ask_for_a_baseline_alone() -> None:
    read = check_gate('metric = "latency.p99"\nbaseline = { ref = "last-shipped", max_regression = 0.05 }')
    assert read.checks[0].limit is None
    assert read.checks[0].baseline == Baseline("last-shipped", 0.05)
