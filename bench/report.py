"""What the figures say: the table, the ratios, the goals."""
import itertools
import statistics

MIB_RESIDENT = 20
START_MS = 50
MODULE_KIB = 400


def show(result):
    """Prints everything. Answers the number of wrong verdicts of mfad."""
    if result["quick"]:
        print("\nQUICK: one short round on whatever else ran. It shows that the bench works; the figures mean nothing.")
    print("\nLogins with right codes. Microseconds, medians over rounds; all = pam_start to pam_end, auth = pam_authenticate.")
    table(result["rounds"], result["titles"], "denied")
    print("\nLogins with one wrong code.")
    table(result["wrong_rounds"], result["wrong_titles"], "ok")
    verdict_table(result["verdicts"], result["titles"])
    loading_table(result["loading"])
    flush_table(result["flushes"])
    ratios(result)
    return wrong_verdicts(result) if "mfad" in result["titles"] else 0


def usable(runs, name, processes):
    """A contender's undisturbed runs, by round; all of its runs if fewer than two were undisturbed."""
    mine = {r["round"]: r for r in runs if r["name"] == name and r["processes"] == processes}
    clean = {turn: r for turn, r in mine.items() if r["clean"]}
    return clean if len(clean) >= min(2, len(mine)) else mine


def table(runs, titles, wrong):
    """A line for each contender; `wrong` names the verdicts that are."""
    heads = ["all p50", "all p99", "auth p50", "auth p95", "auth p99", "mail p50", "ok/s", "wrong", "others", "rounds"]
    print(f"{'':34}{'procs':>6}" + "".join(f"{head:>10}" for head in heads))
    for processes in sorted({r["processes"] for r in runs}):
        for name, title in titles.items():
            use = list(usable(runs, name, processes).values())
            if use:
                print(f"{title:34}{processes:>6}" + line(use, runs, name, processes, wrong))


def line(use, runs, name, processes, wrong):
    median = lambda key: statistics.median(r[key] for r in use)
    times = [median(key) for key in ("all_p50_us", "all_p99_us", "auth_p50_us", "auth_p95_us", "auth_p99_us")]
    mail = f"{median('mail_p50_us'):.0f}" if "mail_p50_us" in use[0] else "-"
    every = [r for r in runs if r["name"] == name and r["processes"] == processes]
    verdicts = f"{sum(r[wrong] for r in every)}/{sum(r['n'] for r in every)}"
    clean = f"{sum(r['clean'] for r in every)}/{len(every)}"
    return "".join(f"{t:>10.0f}" for t in times) + (
        f"{mail:>10}{median('ok_per_s'):>10.0f}{verdicts:>10}{median('others_cpu'):>10.2f}{clean:>10}"
    )


def verdict_table(verdicts, titles):
    print("\nVerdicts that are wrong, of those tried.")
    heads = ["denied, 32 together", "old code later", "code twice at once", "raced, nobody in", "old code, alone", "wrong code"]
    print(f"{'':34}" + "".join(f"{head:>20}" for head in heads))
    for name, found in verdicts.items():
        together, replay, race, wrong = (found[key] for key in ("together", "replay", "race", "wrong"))
        pairs = [
            (together["denied"], together["n"]),
            (together["recheck_accepted"], together["recheck_tried"]),
            (race["rounds_many"], race["rounds"]),
            (race["rounds_nobody"], race["rounds"]),
            (replay["replay_accepted"], replay["replay_tried"]),
            (wrong["ok"], wrong["n"]),
        ]
        print(f"{titles[name]:34}" + "".join(f"{f'{bad}/{tried}':>20}" for bad, tried in pairs))


def loading_table(loading):
    print("\nLoading the module once (dlopen, RTLD_NOW).")
    for name, found in loading.items():
        print(
            f"{name:34}{found['dlopen_us']:>8.0f} us  host grows {found['rss_kib']:.0f} KiB "
            f"({found['private_dirty_kib']:.0f} dirty), file {found['size_kib']:.0f} KiB"
        )


def flush_table(flushes):
    print("\nFlushes per login (fsync and fdatasync of the daemon, counted in a run of its own).")
    for name, counted in flushes.items():
        for processes, found in counted.items():
            print(
                f"{name:34}{processes:>4} processes: {found['per_login']:.3f}, of the committing thread "
                f"{found['waited_for']:.3f}; database flushed {found['checkpoints']} times, "
                f"by the committing thread {found['checkpoints_on_commit_path']}"
            )


def ratio(runs, figure, processes, over, under="mfad"):
    """Median and range, over rounds, of `under`'s figure divided by `over`'s in the same round. None without runs."""
    ours, theirs = usable(runs, under, processes), usable(runs, over, processes)
    shared = sorted(ours.keys() & theirs.keys())
    pairs = [(ours[turn], theirs[turn]) for turn in shared] or list(zip(ours.values(), theirs.values()))
    each = [mine[figure] / other[figure] for mine, other in pairs if other[figure]]
    return (statistics.median(each), min(each), max(each)) if each else None


def ratios(result):
    runs = result["rounds"]
    if "mfad" not in result["titles"]:
        print("\nmfad was left out: no ratios, no goals.")
        return
    print("\nmfad against others, in the same round: median (lowest to highest).")
    for name, title in result["titles"].items():
        if name in ("permit", "floor", "ga", "oath"):
            for processes in (1, 8, 32):
                print(f"  {title:34}{processes:>4} processes  " + "  ".join(
                    f"{label} {spread(ratio(runs, figure, processes, name))}"
                    for label, figure in (("auth p50", "auth_p50_us"), ("all p50", "all_p50_us"), ("ok/s", "ok_per_s"))
                ))
    print("\nGoals.")
    for text, value, limit, met in goals(result):
        print(f"  {'yes' if met else 'NO ':4} {text:68} {value:>24}   {limit}")


def spread(found):
    return "-" if found is None else f"{found[0]:.2f} ({found[1]:.2f} to {found[2]:.2f})"


def judged(result):
    """What was found of each way into mfad."""
    return [found for name, found in result["verdicts"].items() if name.startswith("mfad")]


def denied_wrongly(result):
    """Right codes that mfad did not take, in the whole run."""
    timed = sum(r["denied"] for r in result["rounds"] if r["name"].startswith("mfad"))
    return timed + sum(found["together"]["denied"] + found["race"]["rounds_nobody"] for found in judged(result))


def wrong_verdicts(result):
    """Everything that mfad decided wrongly in the whole run."""
    return denied_wrongly(result) + sum(map(accepted_twice, judged(result))) + wrong_accepted(result)


def wrong_accepted(result):
    """Wrong codes that mfad took."""
    timed = sum(r["ok"] for r in result["wrong_rounds"] if r["name"] == "mfad-wrong")
    return timed + sum(found["wrong"]["ok"] for found in judged(result))


def accepted_twice(found):
    return found["replay"]["replay_accepted"] + found["race"]["rounds_many"] + found["together"]["recheck_accepted"]


def app_goals(runs):
    """The goals of codes that nobody has to send."""
    found = []
    for name in ("hotp", "totp"):
        ours = f"mfad-{name}"
        for text, field, limit in (("auth p50", "auth_p50_us", 0.7), ("whole login p50", "all_p50_us", 0.85), ("auth p99", "auth_p99_us", 0.8)):
            measured = ratio(runs, field, 1, "ga", ours)
            found.append((f"{name.upper()}: {text}, against pam_google_authenticator's HOTP", spread(measured), f"at most {limit}", measured is not None and measured[0] <= limit))
        measured = ratio(runs, "auth_p50_us", 1, "floor", ours)
        found.append((f"{name.upper()}: auth p50, against the floor", spread(measured), "at most 1.4", measured is not None and measured[0] <= 1.4))
    for name, (processes, limit) in itertools.product(("hotp", "totp"), ((8, 1.3), (32, 3.0))):
        measured = ratio(runs, "ok_per_s", processes, "ga", f"mfad-{name}")
        found.append((f"{name.upper()}: right logins a second by {processes} processes, against the same", spread(measured), f"at least {limit}", measured is not None and measured[0] >= limit))
    return found


def added(runs, figure, under, over):
    """Median and range, over rounds, of what `under` takes longer than `over` in the same round, alone; microseconds."""
    ours, theirs = usable(runs, under, 1), usable(runs, over, 1)
    each = [ours[turn][figure] - theirs[turn][figure] for turn in sorted(ours.keys() & theirs.keys())]
    return (statistics.median(each), min(each), max(each)) if each else None


def rule_goals(result):
    """The goals of a site with many rules and accounts."""
    foot, found = result["footprint"]["mfad-rules"], []
    for text, field in (("auth p50", "auth_p50_us"), ("auth p99", "auth_p99_us")):
        measured = added(result["rounds"], field, "mfad-rules", "mfad-hotp")
        shown = "-" if measured is None else "{:.0f} ({:.0f} to {:.0f}) us".format(*measured)
        found.append((f"1,000 rules: {text} added", shown, "at most 200 us", measured is not None and measured[0] <= 200))
    memory, start = foot["resident_mib"], foot["start_ms"]
    accounts = f"{foot['accounts']:,} accounts"
    return [
        *found,
        (f"1,000 rules, {accounts}: memory", f"{memory:.3g} MiB", "at most 64 MiB", memory <= 64),
        (f"1,000 rules, {accounts}: cold start", f"{start:.3g} ms", "at most 300 ms", start <= 300),
    ]


def goals(result):
    """(goal, value, limit, met?) of each goal."""
    runs, flushes, foot = result["rounds"], result["flushes"]["mfad"], result["footprint"]["mfad-many"]

    def at_most(text, measured, limit):
        return text, spread(measured), f"at most {limit}", measured is not None and measured[0] <= limit

    def at_least(text, measured, limit):
        return text, spread(measured), f"at least {limit}", measured is not None and measured[0] >= limit

    def between(text, value, low, high):
        return text, f"{value:.3f}", f"{low} to {high}", low <= value <= high

    def below(text, value, limit, unit=""):
        return text, f"{value:.3g}{unit}", f"at most {limit}{unit}", value <= limit

    on_path = sum(c["checkpoints_on_commit_path"] for c in flushes.values())
    return [
        at_most("auth p50, against pam_google_authenticator's HOTP", ratio(runs, "auth_p50_us", 1, "ga"), 1.0),
        at_most("whole login p50, against the same", ratio(runs, "all_p50_us", 1, "ga"), 1.1),
        at_most("auth p99, against the same", ratio(runs, "auth_p99_us", 1, "ga"), 1.0),
        at_least("right logins a second by 8 processes, against the same", ratio(runs, "ok_per_s", 8, "ga"), 1.2),
        at_least("right logins a second by 32 processes, against the same", ratio(runs, "ok_per_s", 32, "ga"), 2.0),
        *app_goals(runs),
        at_most("wrong TOTP code: auth p50, against pam_google_authenticator's",
                ratio(result["wrong_rounds"], "auth_p50_us", 1, "ga-wrong", "mfad-wrong"), 0.25),
        at_most(f"auth p50 with {foot['accounts']:,} accounts, against 1, both paced",
                ratio(runs, "auth_p50_us", 1, "mfad-one", "mfad-many-paced"), 1.15),
        at_most(f"auth p50 with {foot['accounts']:,} accounts, against 1,000",
                ratio(runs, "auth_p50_us", 1, "mfad", "mfad-many"), 1.15),
        # Too few is as wrong as too many: an answer that was not flushed can be given again after a power cut.
        between("flushes per login, 1 process (checkpoints included)", flushes[1]["per_login"], 1, 1.05),
        between("flushes per login, 32 processes", flushes[32]["per_login"], 0.03, 0.1),
        below("checkpoints on the commit path", on_path, 0),
        below("right codes denied", denied_wrongly(result), 0),
        below("codes accepted twice", sum(accepted_twice(found) for found in judged(result)), 0),
        below("wrong codes accepted", wrong_accepted(result), 0),
        below(f"mfad's memory with {foot['accounts']:,} accounts", foot["resident_mib"], MIB_RESIDENT, " MiB"),
        below("cold start, from exec until both sockets serve", foot["start_ms"], START_MS, " ms"),
        *rule_goals(result),
        below("size of the module", result["loading"]["mfad"]["size_kib"], MODULE_KIB, " KiB"),
    ]
