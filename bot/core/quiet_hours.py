"""Quiet hours: a part of each day in which the bot calls nobody. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until `end` by the clocks of `zone`. They may pass midnight."""

    start: time
    end: time
    zone: tzinfo

    def covers(self, at: datetime) -> bool:
        """Whether a moment, in any zone, is quiet."""
        local = at.astimezone(self.zone).time()
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def loud_from(self, at: datetime) -> datetime:
        """The first moment from `at` on that is not quiet."""
        if not self.covers(at):
            return at
        local = at.astimezone(self.zone)
        day = local.date() if local.time() < self.end else local.date() + timedelta(days=1)
        return datetime.combine(day, self.end, self.zone).astimezone(at.tzinfo)
