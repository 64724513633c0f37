"""One transaction of the store, with the methods of all parts of the port.

No module of the engine may import this class: each declares the few methods that it uses.
"""

from bot.adapters.store.announcements import AnnouncementQueries
from bot.adapters.store.batches import BatchQueries
from bot.adapters.store.card_versions import CardVersionQueries
from bot.adapters.store.decisions import DecisionQueries
from bot.adapters.store.defects import DefectQueries
from bot.adapters.store.files import FileQueries
from bot.adapters.store.follows import FollowQueries
from bot.adapters.store.fresh import FreshQueries
from bot.adapters.store.hand_written import HandWrittenQueries
from bot.adapters.store.holds import HoldQueries
from bot.adapters.store.looks import LookQueries
from bot.adapters.store.offers import OfferQueries
from bot.adapters.store.outbox import NoteQueries
from bot.adapters.store.people import PeopleQueries
from bot.adapters.store.private_cards import PrivateCardQueries
from bot.adapters.store.questions import QuestionQueries
from bot.adapters.store.requests import RequestQueries
from bot.adapters.store.retention import RetentionQueries
from bot.adapters.store.running import RunningQueries
from bot.adapters.store.sightings import SightingQueries
from bot.adapters.store.statements import StatementQueries
from bot.adapters.store.transfers import TransferQueries


class StoreUnit(
    PeopleQueries,
    RequestQueries,
    AnnouncementQueries,
    CardVersionQueries,
    FileQueries,
    TransferQueries,
    BatchQueries,
    DecisionQueries,
    QuestionQueries,
    NoteQueries,
    FollowQueries,
    SightingQueries,
    FreshQueries,
    OfferQueries,
    RetentionQueries,
    HandWrittenQueries,
    HoldQueries,
    DefectQueries,
    PrivateCardQueries,
    LookQueries,
    StatementQueries,
    RunningQueries,
):
    """Implements the ports of the store in engine/ports, such as store.py and fresh.py."""
