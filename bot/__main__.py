"""`python -m bot`: the same as the command imageto-bot."""

from bot.cli import main

main()
