"""How long the run waits: between tries, for one image and in all. All values are seconds."""

import time

COPY_SECONDS = 3600  # for one run of skopeo, and for all tries of one image
PROGRESS_SECONDS = 600  # in which a layer has to move by a megabyte
RUN_SECONDS = 285 * 60  # waits end then, which leaves time for a last copy before `timeout-minutes`
LAYER_SECONDS = 290 * 60  # layers in progress end then, so that the image still gets its status
TRY_PAUSES = (2, 6, 18, 54, 120, 300)  # between the tries of one image
QUESTION_PAUSES = TRY_PAUSES[:2]  # between the tries of one request to a registry
PATIENCE = 80  # sum of the pauses per image. The variable PATIENCE changes it
GITHUB_PAUSES = (1, 5, 20)  # between the tries of a request to GitHub
GITHUB_LIMIT_SECONDS = 60  # where a limit of GitHub does not say when it ends
LONGEST_LIMIT = 3700  # GitHub counts requests per hour
GITHUB_LIMITS = 10  # that one request waits for
PUT_OFF_SECONDS = 300  # that an image of the bot waits for pulls before the bot gets it back
ATTACH_SECONDS = 300  # for what belongs to one image, such as signatures
ATTACH_PAUSE = 1  # before a second look at what several runs may have written, at least
LONGEST_ATTACH_PAUSE = 30
PULL_PAUSES = (5, 15, 45, 120, 300)  # between checks of the pulls left. The last one repeats

STARTED = time.monotonic()


def elapsed() -> float:
    """Return the seconds since this run started."""
    return time.monotonic() - STARTED


def run_is_over() -> bool:
    """Return whether nothing may wait any more."""
    return elapsed() > RUN_SECONDS
