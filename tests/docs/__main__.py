"""`make docs`: write the tables of the documents from the code."""

from doc_pages import PAGES
from doc_tables import rewritten

for page in PAGES:
    page.write_text(rewritten(page), "utf-8")
