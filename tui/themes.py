"""The program's own two themes: much dark (or much light), one accent colour."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="repfuse-dark",
    primary="#4a90f5",
    secondary="#7aa2d8",
    accent="#f08c28",
    warning="#f0b429",
    error="#ff6b6b",
    success="#6fd08c",
    foreground="#d8dce4",
    background="#111317",
    surface="#171a20",
    panel="#20242c",
    dark=True,
    variables={
        "border": "#3d4450",
        "border-blurred": "#2a2f38",
        "scrollbar": "#565e6d",
        "scrollbar-hover": "#8a93a3",
        "scrollbar-active": "#4a90f5",
        "scrollbar-background": "transparent",
        "scrollbar-background-hover": "transparent",
        "scrollbar-background-active": "transparent",
        "scrollbar-corner-color": "#111317",
        "footer-background": "#171a20",
        "footer-key-foreground": "#f0a040",
        "footer-description-foreground": "#b6bcc8",
        "input-selection-background": "#4a90f5 40%",
        "block-cursor-background": "#4a90f5",
        "block-cursor-foreground": "#0c0e12",
    },
)

LIGHT = Theme(
    name="repfuse-light",
    primary="#1f5fbf",
    secondary="#3d6fae",
    accent="#b35300",
    warning="#8a5a00",
    error="#b3261e",
    success="#1d7a3e",
    foreground="#1d2129",
    background="#fbfbfa",
    surface="#f1f2f3",
    panel="#e6e8eb",
    dark=False,
    variables={
        "border": "#b4bac4",
        "border-blurred": "#ccd1d8",
        "scrollbar": "#9aa2ae",
        "scrollbar-hover": "#5d6673",
        "scrollbar-active": "#1f5fbf",
        "scrollbar-background": "transparent",
        "scrollbar-background-hover": "transparent",
        "scrollbar-background-active": "transparent",
        "scrollbar-corner-color": "#fbfbfa",
        "footer-background": "#e6e8eb",
        "footer-key-foreground": "#a34b00",
        "footer-description-foreground": "#3a4150",
        "input-selection-background": "#1f5fbf 30%",
        "block-cursor-background": "#1f5fbf",
        "block-cursor-foreground": "#ffffff",
    },
)

THEMES = (DARK, LIGHT)


def counterpart(dark: bool) -> str:
    """The theme of the other brightness."""
    return LIGHT.name if dark else DARK.name
