"""Keys and tokens: whatever the library detect-secrets knows, these patterns know too. All values are made up."""

from __future__ import annotations

import importlib

import pytest

from desktop_rag.privacy.patterns.find import find

_A = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xYzAbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
_HEX = "0123456789abcdef" * 4

TOKENS = [
    ("aws", "AWSKeyDetector", "AKIAIOSFODNN7EXAMPLE"),
    ("github_token", "GitHubTokenDetector", f"ghp_{_A[:36]}"),
    ("gitlab_token", "GitLabTokenDetector", f"glpat-{_A[:20]}"),
    ("slack", "SlackDetector", "xoxb-123456789012-1234567890123-" + _A[:24]),
    ("stripe", "StripeDetector", "sk_" + "live_" + _A[:24]),
    ("jwt", "JwtTokenDetector", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
    ("private_key", "PrivateKeyDetector", "-----BEGIN RSA PRIVATE KEY-----"),
    ("sendgrid", "SendGridDetector", f"SG.{_A[:22]}.{_A[:43]}"),
    ("twilio", "TwilioKeyDetector", f"SK{_HEX[:32]}"),
    ("mailchimp", "MailchimpDetector", f"{_HEX[:32]}-us12"),
    ("telegram_token", "TelegramBotTokenDetector", f"110201543:{_A[:35]}"),
    ("openai", "OpenAIDetector", f"sk-{_A[:20]}T3BlbkFJ{_A[:20]}"),
    ("pypi_token", "PypiTokenDetector", "pypi-AgEIcHlwaS5vcmc" + _A + _A),
    ("npm", "NpmDetector", f"//registry.npmjs.org/:_authToken=npm_{_A[:36]}"),
    ("square_oauth", "SquareOAuthDetector", f"sq0csp-{_A[:43]}"),
    ("discord", "DiscordBotTokenDetector", "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"),
    ("basic_auth", "BasicAuthDetector", "https://jean:rivera42@example.org"),
]


@pytest.mark.parametrize(("module", "detector", "token"), TOKENS, ids=[m for m, _, _ in TOKENS])
def test_as_the_library(module: str, detector: str, token: str) -> None:
    plugin = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), detector)()
    theirs = list(plugin.analyze_string(token))
    assert theirs, "the sample is no token of its kind"
    text = f"Use {token} for it."
    ours = [text[f.start : f.end] for f in find(text) if f.label == "SECRET"]
    assert any(secret in value for secret in theirs for value in ours), ours


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: Hunter2!", "Hunter2!"),
        ("Passwort: geheim.", "geheim"),
        ("contraseña: Sol-2020,", "Sol-2020"),
        ("hasło: kotek123", "kotek123"),
        ("Mot de passe : 'chat noir 1'", "'chat noir 1'"),
        ("The password is tr0ub4dor&3.", "tr0ub4dor&3"),
        ('api_key = "9f8e7d6c5b4a"', '"9f8e7d6c5b4a"'),
        ("postgres://app:s3cr3t@db/x", "app:s3cr3t"),
    ],
)
def test_what_people_write(text: str, secret: str) -> None:
    assert secret in [text[f.start : f.end] for f in find(text) if f.label == "SECRET"]


@pytest.mark.parametrize(
    "text",
    [
        "password: ********",
        "password: ${DB_PASSWORD}",
        "The password is required.",
        "La clave: trabajar. The secret: love.",
        "the secret is out, the key is gone",
        "api_key = <your key>",
        "sk-learn and hf_hub and ghp_x",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_what_is_no_secret(text: str) -> None:
    assert [f for f in find(text) if f.label == "SECRET"] == []


def test_a_private_key_goes_whole() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEow+/=abc\n" * 40 + "-----END RSA PRIVATE KEY-----"
    (found,) = [f for f in find(f"Key:\n{key}\nend") if f.label == "SECRET"]
    assert "MIIE" not in f"Key:\n{key}\nend".replace(f"Key:\n{key}\nend"[found.start : found.end], "")
