"""A measured figure: its values, its goal, and how both are shown."""
import dataclasses
import statistics


@dataclasses.dataclass
class Figure:
    name: str
    unit: str
    values: list
    goal: float  # met when the median is below it, or at_least: not below it
    peer: str = ""
    peer_values: list = dataclasses.field(default_factory=list)  # in the same unit
    parts: dict = dataclasses.field(default_factory=dict)  # what it is made of: text -> values
    at_least: bool = False

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def met(self):
        return self.median >= self.goal if self.at_least else self.median < self.goal

    def as_json(self):
        found = {"name": self.name, "unit": self.unit, "median": short(self.median), "min": short(min(self.values)),
                 "max": short(max(self.values)), "runs": len(self.values)}
        if self.peer:
            peer = statistics.median(self.peer_values)
            found |= {"peer": self.peer, "peer_median": short(peer), "ratio": short(self.median / peer)}
        found |= {"goal": self.goal, "goal_met": self.met}
        if self.parts:
            found["parts"] = {text: {"median": short(statistics.median(values)), "min": short(min(values)),
                                     "max": short(max(values)), "runs": len(values)}
                              for text, values in self.parts.items()}
        return found


def short(value):
    """Four significant digits, as a number."""
    return float(f"{value:.4g}")


def shown(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


HEADINGS = ("figure", "unit", "median", "min", "max", "runs", "goal", "")


def table(figures):
    rows = [HEADINGS]
    for f in figures:
        rows.append((f.name, f.unit, *map(shown, (f.median, min(f.values), max(f.values))),
                     str(len(f.values)), f"{'>=' if f.at_least else '<'} {f.goal:g}", "met" if f.met else "NOT met"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for i, f in reversed(list(enumerate(figures))):
        lines[i + 2:i + 2] = details(f)
    return "\n".join(lines)


def details(figure):
    """Lines below a figure: its parts and its peer."""
    lines = [f"    {text}: {shown(statistics.median(values))} ({shown(min(values))} to {shown(max(values))})"
             for text, values in figure.parts.items()]
    if figure.peer:
        peer = statistics.median(figure.peer_values)
        lines.append(f"    {figure.peer}: {shown(peer)}; ratio {figure.median / peer:.3g}")
    return lines
