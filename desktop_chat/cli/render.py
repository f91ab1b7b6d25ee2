"""``desktop-chat render``: a Markdown file as a standalone HTML page, or painted as the window would."""

from __future__ import annotations

import argparse
import html
import sys
from pathlib import Path
from typing import Final

from desktop_chat.chat.launch import ExitStatus
from desktop_chat.cli.arguments import PROGRAM

_MAX_BYTES: Final = 64 * 1024 * 1024

_COLORS: Final = {
    "light": {"page": "#ffffff", "text": "#1f2328", "quiet": "#59636e", "line": "#d1d9e0", "code": "#f6f8fa"},
    "dark": {"page": "#16181d", "text": "#e6e8eb", "quiet": "#9aa4af", "line": "#353a42", "code": "#22262d"},
}

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="{theme}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ margin: 32px auto; padding: 0 24px; max-width: {width}px; background: {page}; color: {text};
  font: 15px/1.6 system-ui, sans-serif; overflow-wrap: break-word; }}
h1, h2, h3, h4, h5, h6 {{ line-height: 1.25; margin: 1.6em 0 0.6em; }}
a {{ color: inherit; text-underline-offset: 0.2em; }}
pre, code {{ font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; background: {code}; border-radius: 6px; }}
code {{ padding: 0.15em 0.35em; }}
pre {{ padding: 12px 16px; overflow-x: auto; }}
pre code {{ padding: 0; }}
blockquote {{ margin: 1em 0; padding: 0 1em; color: {quiet}; border-left: 3px solid {line}; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ padding: 6px 12px; border-bottom: 1px solid {line}; }}
hr {{ border: 0; border-top: 1px solid {line}; margin: 2em 0; }}
section.footnotes {{ margin-top: 2em; border-top: 1px solid {line}; font-size: 13px; color: {quiet}; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def run_render(options: argparse.Namespace) -> int:
    """Set the file; returns the exit status."""
    try:
        text = _read(options.file)
    except OSError as error:
        return _refuse(f"{options.file} cannot be read: {error.strerror or error}.")
    if options.image is None:
        sys.stdout.write(page(text, title=options.file.stem, width=options.width, theme=options.theme))
        return ExitStatus.COMPLETE
    from desktop_chat.ui.transcript.picture import paint_markdown

    try:
        paint_markdown(text, options.image, width=options.width, theme=options.theme)
    except OSError as error:
        return _refuse(f"{options.image} cannot be written: {error.strerror or error}.")
    return ExitStatus.COMPLETE


def page(text: str, *, title: str, width: int, theme: str) -> str:
    """A page that stands alone: no script, and nothing is fetched when it is opened."""
    from desktop_chat.markup import to_html

    colors = _COLORS[theme]
    return _PAGE.format(title=html.escape(title), theme=theme, width=width, body=to_html(text), **colors)


def _read(file: Path) -> str:
    if str(file) == "-":
        return sys.stdin.buffer.read(_MAX_BYTES).decode("utf-8-sig", "replace")
    with file.open("rb") as stream:
        return stream.read(_MAX_BYTES).decode("utf-8-sig", "replace")


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"{PROGRAM}: {sentence}\n")
    return ExitStatus.ERROR
