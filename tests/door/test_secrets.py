from pathlib import Path

from directus_assets.directus.storage import LocalStorage
from directus_assets.door.requests import digest_of
from directus_assets.door.secrets import KnownSecrets, admit, admit_only, is_known, new_secret


def test_both_secrets_are_taken_until_the_old_one_is_put_away(tmp_path: Path) -> None:
    storage, now = LocalStorage(tmp_path), [0.0]
    known = KnownSecrets(storage, clock=lambda: now[0])
    old, new = new_secret(), new_secret()
    admit_only(storage, old)
    assert known.digests(old) == (digest_of(old),)

    admit(storage, new)
    now[0] += 1.5
    assert set(known.digests(new)) == {digest_of(old), digest_of(new)}
    assert not is_known(storage, new)

    admit_only(storage, new)
    now[0] += 6
    assert known.digests(old) == (digest_of(new),)
    assert is_known(storage, new)


def test_only_digests_are_kept(tmp_path: Path) -> None:
    secret = new_secret()
    admit_only(LocalStorage(tmp_path), secret)

    assert secret not in "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_nobody_is_let_in_where_no_secret_was_made(tmp_path: Path) -> None:
    assert KnownSecrets(LocalStorage(tmp_path)).digests("any") == ()


def test_whoever_guesses_does_not_have_the_file_read_each_time(tmp_path: Path) -> None:
    now = [0.0]
    known = KnownSecrets(LocalStorage(tmp_path), clock=lambda: now[0])
    assert known.digests("guess") == ()
    admit_only(LocalStorage(tmp_path), "secret")

    assert known.digests("secret") == ()
    now[0] += 1.1
    assert known.digests("secret") == (digest_of("secret"),)
