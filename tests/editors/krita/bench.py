"""From the second click to the visible preview on a 4000x3000 document, per stage, in the real Krita.

``python -m tests.editors.krita.bench`` from the repository's root prints a table for ``docs``. The quiet quarter is the
median of the six clicks with the least overhead: what is left when other programs leave the cores alone.
"""

import statistics

from .session import open_studio

ROUNDS = 24
STAGES = (
    ("event to request", "click", "asked"),
    ("request to answer", "asked", "answered"),
    ("answer to painted preview", "answered", "shown"),
    ("click to painted preview", "click", "shown"),
)


def main() -> None:
    with open_studio() as studio:
        krita = studio.krita
        studio.open(studio.photo("photos/chelsea.png").resize((4000, 3000)))
        krita.run("T.start()")
        krita.wait("T.active and 'prefetch' not in T._tasks", "the embedding", 60)
        rows: list[dict[str, float]] = []
        for number in range(ROUNDS + 1):
            studio.click(2000 + 20 * number, 1500 + 10 * number)
            krita.wait(
                f"len(T.session) == {number + 1} and 'shown' in T.timings and 'server' in T.timings", "the preview"
            )
            krita.wait("not T._tasks and T.idle", "quiet")
            if number:
                rows.append(krita.get("T.timings"))
        rows.sort(key=lambda row: (row["shown"] - row["click"]) * 1000 - row["server"])
        print("| stage | quiet quarter ms | median ms | worst ms |")
        print("| --- | --- | --- | --- |")
        for title, start, end in STAGES:
            tell(title, [(row[end] - row[start]) * 1000 for row in rows])
        tell("the server's own stages, of that", [row["server"] for row in rows])
        for title, own in (("everything else", "server"), ("everything but the model's own time", "model")):
            tell(title, [(row["shown"] - row["click"]) * 1000 - row[own] for row in rows])


def tell(title: str, spent: list[float]) -> None:
    quiet = spent[: len(spent) // 4]
    print(f"| {title} | {statistics.median(quiet):.1f} | {statistics.median(spent):.1f} | {max(spent):.1f} |")


if __name__ == "__main__":
    main()
