"""Sphinx configuration of the book; `lib.site.build` copies it beside the pages, with the facts of this build."""

import json
from pathlib import Path

BUILD = json.loads((Path(__file__).parent / "site.json").read_text(encoding="utf-8"))

project = BUILD["title"]
author = ""
language = "en"
extensions = ["myst_nb", "sphinx_external_toc", "lib.site.extension"]
exclude_patterns = [".*"]
suppress_warnings = BUILD["suppress_warnings"]
numfig = True
numfig_format = {"figure": "Figure %s", "table": "Table %s"}

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist", "attrs_inline", "attrs_block"]
nb_execution_mode = "off"  # chapters are executed by the build graph
nb_merge_streams = True
nb_ipywidgets_js = {}  # else every page asks two other sites for scripts
nb_code_prompt_show = "Show code"
nb_code_prompt_hide = "Hide code"
mathjax_path = "mathjax/tex-svg.js"
mathjax3_config = {"svg": {"fontCache": "global"}, "options": {"enableMenu": False}}

smartquotes = False  # they take the backslash from patterns such as \.png
html_theme = "sphinx_book_theme"
html_title = BUILD["title"]
html_favicon = "_static/icon.svg"
html_use_index = False
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_copyright = False
html_last_updated_fmt = None
html_context = {"default_mode": "auto"}
html_theme_options = {
    "announcement": BUILD["banner"],
    "navbar_persistent": [],
    "search_bar_text": "Search the book",
    "show_toc_level": 2,
    "show_navbar_depth": 2,
    "home_page_in_toc": False,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "footer_content_items": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
