"""`python -m bot`: the same as the command `imageto-bot`, which is the documented one.

Python takes `bot` from the working directory first, so a folder of that name there would run
instead. `python -P -m bot` does not look there.
"""

from bot.cli import main

main()
