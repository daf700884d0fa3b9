"""From pages to documents: main text, language, cleaning, duplicates, split."""
