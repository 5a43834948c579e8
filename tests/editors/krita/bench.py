"""From the second click to the visible preview on a 4000x3000 document, per stage, in the real Krita.

``python -m tests.editors.krita.bench`` from the repository's root prints a table for ``docs``.
"""

import statistics

from .session import open_studio

ROUNDS = 8
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
                f"len(T.marks) == {number + 1} and 'shown' in T.timings and 'server' in T.timings", "the preview"
            )
            krita.wait("not T._tasks and not T._look_again.isActive()", "quiet")
            if number:
                rows.append(krita.get("T.timings"))
        print("| stage | median ms | worst ms |")
        print("| --- | --- | --- |")
        for title, start, end in STAGES:
            spent = [(row[end] - row[start]) * 1000 for row in rows]
            print(f"| {title} | {statistics.median(spent):.1f} | {max(spent):.1f} |")
        server = [row["server"] for row in rows]
        print(f"| the server's own stages, of that | {statistics.median(server):.1f} | {max(server):.1f} |")
        ours = [(row["shown"] - row["click"]) * 1000 - row["server"] for row in rows]
        print(f"| everything else | {statistics.median(ours):.1f} | {max(ours):.1f} |")


if __name__ == "__main__":
    main()
