"""How long the run waits: between tries, for one image and in all. All values are seconds."""

import time

COPY_SECONDS = 3600  # for one layer, for one run of skopeo, and for all tries of one image
RUN_SECONDS = 285 * 60  # waits end then, which leaves time for a last copy before `timeout-minutes`
LAYER_SECONDS = 290 * 60  # layers in progress end then, so that the image still gets its status
TRY_PAUSES = (2, 6, 18, 54, 120, 300)  # between the tries of one image
QUESTION_PAUSES = TRY_PAUSES[:2]  # between the tries of one request to a registry
PATIENCE = 80  # sum of the pauses per image. The variable PATIENCE changes it
GITHUB_PAUSES = (1, 5, 20)  # between the tries of a request to GitHub
PULL_PAUSES = (5, 15, 45, 120, 300)  # between checks of the pulls left. The last one repeats

STARTED = time.monotonic()


def elapsed() -> float:
    """Return the seconds since this run started."""
    return time.monotonic() - STARTED


def run_is_over() -> bool:
    """Return whether nothing may wait any more."""
    return elapsed() > RUN_SECONDS


def layer_deadline() -> float:
    """Return the monotonic time at which a layer that starts now must be done."""
    return min(time.monotonic() + COPY_SECONDS, STARTED + LAYER_SECONDS)
