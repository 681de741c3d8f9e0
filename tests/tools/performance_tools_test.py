#!/usr/bin/env python3
"""The programs around the bench: what they make of figures, without taking any."""

import collections
import importlib.util
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as xml
from importlib.machinery import SourceFileLoader
from pathlib import Path
from unittest import mock

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def load(name):
    """A tool as a module; it leaves no compiled copy behind."""
    loader = SourceFileLoader(name, str(TOOLS / name))
    spec = importlib.util.spec_from_loader(name, loader)
    module = importlib.util.module_from_spec(spec)
    with mock.patch("sys.dont_write_bytecode", True):
        loader.exec_module(module)
    return module


bench_table, budgets, profile = load("bench_table"), load("budgets"), load("profile")


def spread(low, middle, high):
    return {"min": low, "median": middle, "max": high}


class goals(unittest.TestCase):
    """bench_table: a figure next to its goal."""

    result = {"points": [
        {"connections": 64, "skew": 0, "spread": {"rate": spread(90, 100, 110),
                                                  "ratio": spread(1, 2, 3)},
         "runs": [{"rate": 100}, {"rate": 90}, {"rate": 110}]},
        {"connections": 256, "skew": 2, "spread": {"rate": spread(50, 60, 70),
                                                   "ratio": spread(4, 5, 6)},
         "runs": [{"rate": 50}, {"rate": 63}, {"rate": 55}]},
    ]}

    def row(self, least, take, trouble=""):
        one = bench_table.goal("what", "goal", take, bench_table.at_least(least))
        return bench_table.row(one, self.result, trouble)

    def test_the_middle_of_the_best_point_is_judged(self):
        self.assertIn("| **2.00** | 3.00 | reached |", self.row(2, bench_table.spread("ratio")))
        self.assertIn("**falls short**", self.row(2.1, bench_table.spread("ratio")))

    def test_a_point_is_found_by_its_values(self):
        self.assertIn("**5.00**", self.row(4, bench_table.spread("ratio", connections=256)))

    def test_rates_of_two_points_are_compared_turn_by_turn(self):
        ratios = bench_table.relative_to({"skew": 0}, skew=2)(self.result)
        self.assertEqual(ratios, spread(0.5, 0.5, 0.7))

    def test_a_void_run_reaches_nothing(self):
        self.assertIn("| void |", self.row(0, bench_table.spread("ratio"), "void"))
        self.assertIn("| – | – | – | it failed |",
                      bench_table.row(bench_table.goal("what", "", None, None), None, "it failed"))


    def test_each_group_is_given_its_turns(self):
        flags, chosen = bench_table.parse(["--runs", "3", "--seconds", "4", "--only", "settle",
                                           "--only", "reads"])
        given = {one.name: " ".join(bench_table.arguments(one, flags)) for one in chosen}
        self.assertEqual(set(given), {"settle", "reads"})
        self.assertIn("--runs 3 --seconds 4 --warm-up 3", given["reads"])
        self.assertIn("--runs 1 --seconds 4 --warm-up 3", given["settle"])

    def test_a_table_that_is_stopped_has_what_was_measured(self):
        flags, chosen = bench_table.parse(["--only", "reads", "--only", "replay"])
        with tempfile.TemporaryDirectory() as folder:
            into = bench_table.table(Path(folder) / "table.md")
            answers = [(None, "it failed"), KeyboardInterrupt()]
            with mock.patch.object(bench_table, "run", side_effect=answers), \
                 mock.patch.object(bench_table, "say"):
                with self.assertRaises(KeyboardInterrupt):
                    bench_table.measure(chosen, flags, into)
            text = into.path.read_text()
        self.assertIn("| replays of known keys a second |", text)
        self.assertNotIn("| reads a second |", text)
        self.assertIn("It took: replay 0 min 0 s.", text)


class counts(unittest.TestCase):
    """budgets: a count next to its budget."""

    def test_ten_percent_more_are_let_pass(self):
        self.assertEqual(budgets.judge(1100, 1000), "ok")
        self.assertEqual(budgets.judge(1101, 1000), "over its budget")
        self.assertIn("lower the budget", budgets.judge(800, 1000))
        self.assertEqual(budgets.judge(1, None), "no budget")


class stacks(unittest.TestCase):
    """profile and flame_graph: samples become components and frames."""

    def test_a_thread_works_for_its_component(self):
        self.assertEqual(profile.component_of("journal"), "journal")
        self.assertEqual(profile.component_of("caf.worker"), "actors")
        self.assertEqual(profile.component_of("cron"), "other")

    def test_names_are_shown_without_arguments(self):
        self.assertEqual(profile.short("a::b<std::vector<int>>::c(int, char*)"), "a::b::c")
        self.assertEqual(profile.short("x::(anonymous namespace)::y(int) [clone .cold]"),
                         "x::{}::y")

    def test_a_table_has_the_microseconds_of_each_component(self):
        samples = collections.Counter({("HTTP", "http", ("main", "read")): 30,
                                       ("PostgreSQL", "postgres", ()): 10})
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            with mock.patch.object(nowhere, "write") as written:
                profile.write_table(nowhere, samples, 2.0)
        text = "".join(call.args[0] for call in written.call_args_list)
        self.assertIn("| HTTP | http | 60.0 | 75% | read 60.0 |", text)
        self.assertIn("| **all** | | **80.0** | | |", text)

    def test_frames_are_as_wide_as_their_share(self):
        drawn = subprocess.run([str(TOOLS / "flame_graph"), "--title", "a < b"], text=True,
                               input="x;y 30\nx;z<1> 10\nnonsense\n", capture_output=True,
                               check=True).stdout
        titles = {}
        for group in xml.fromstring(drawn).iter("{http://www.w3.org/2000/svg}g"):
            title, rectangle = group[0], group[1]
            titles[title.text.split(":")[0]] = float(rectangle.attrib["width"])
        self.assertEqual(set(titles), {"all", "x", "y", "z<1>"})
        self.assertAlmostEqual(titles["y"] / titles["all"], 0.75, places=2)


if __name__ == "__main__":
    unittest.main()
