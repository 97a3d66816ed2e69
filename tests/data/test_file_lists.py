"""Which files belong together: by name, by list, by subject."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from dcamsr_lite.data.file_lists import find_pairs, read_pairs_csv, split_by_subject
from dcamsr_lite.data.hdf5 import read_patient
from dcamsr_lite.errors import InputError


def test_find_pairs(tmp_path):
    names = ["7_T101", "7_T102", "7_T201", "7_T202", "7_T203", "7_FLAIR01", "8_T101", "8_T201"]
    for name in names:
        folder = tmp_path / ("multicoil_train" if name[0] == "7" else "multicoil_val")
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.h5").touch()
    for name in ("x_T101.h5", "7_T101.npy", "9_T101_old.h5", "._7_T101.h5"):
        (tmp_path / name).touch()
    found = [(one.stem, two.stem, subject) for one, two, subject in find_pairs(tmp_path)]
    expected = [("7_T101", "7_T201", "7"), ("7_T102", "7_T202", "7"), ("8_T101", "8_T201", "8")]
    assert found == expected
    assert len(find_pairs(tmp_path, "T2", "FLAIR")) == 1
    for arguments in ((tmp_path, "T1", "GRE"), (tmp_path, "T1", "PD"), (tmp_path / "absent",)):
        with pytest.raises(InputError):
            find_pairs(*arguments)


def test_read_pairs_csv(tmp_path):
    for name in ("a.h5", "b.h5", "7_T101.h5", "7_T201.h5", "one, two.npy"):
        (tmp_path / name).touch()
    path = tmp_path / "pairs.csv"
    rows = (
        f'\ufeffreference,target\na,b.h5,0.5\n\n7_T101.h5,{tmp_path}/7_T201.h5\n"one, two.npy",a\n'
    )
    path.write_text(rows, encoding="utf-8")
    found = [(one.name, two.name, subject) for one, two, subject in read_pairs_csv(path)]
    expected = [("a.h5", "b.h5", "a"), ("7_T101.h5", "7_T201.h5", "7")]
    assert found == [*expected, ("one, two.npy", "a.h5", "one, two")]
    for text, match in (
        ("", "no pair"),
        ("reference,target\n", "no pair"),
        ("a,b\na\n", "row 2"),
        ("a,\n", "row 1"),
        ("a,absent.h5,1\n", "no file 'absent.h5'"),
        ('"a,b\n', "expected rows"),
        ("a\0,b\n", "expected"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=match):
            read_pairs_csv(path)
    with pytest.raises(InputError, match="no such file"):
        read_pairs_csv(tmp_path / "absent.csv")


def test_split_never_splits_a_subject():
    pairs = [
        (Path(f"{s}_T10{k}.h5"), Path(f"{s}_T20{k}.h5"), str(s)) for s in range(9) for k in "123"
    ]
    for seed in range(5):
        train, validation = split_by_subject(pairs, 0.25, seed)
        subjects = [{subject for _, _, subject in part} for part in (train, validation)]
        assert not subjects[0] & subjects[1] and len(subjects[1]) == 2
        assert sorted(train + validation) == sorted(pairs)
        assert split_by_subject(pairs[::-1], 0.25, seed)[1] == validation[::-1]
    assert split_by_subject(pairs, 0.25, 0) != split_by_subject(pairs, 0.25, 1)
    assert len(split_by_subject(pairs, 0.99, 0)[0]) == 3
    for bad, fraction in ((pairs[:3], 0.5), ([], 0.5), (pairs, 0.0), (pairs, 1.0)):
        with pytest.raises(InputError):
            split_by_subject(bad, fraction, 0)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_linked_folders_are_searched_once_and_loops_end(tmp_path, capsys):
    study, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    for folder, subject in ((study / "a", 7), (elsewhere / "b", 8), (elsewhere / "deep" / "c", 9)):
        touch(folder / f"{subject}_T101.h5", folder / f"{subject}_T201.h5")
    (study / "0").symlink_to(study / "a")  # before the folder itself, whose name the files keep
    (study / "b").symlink_to(elsewhere / "b")
    (study / "c").symlink_to(elsewhere / "deep")
    for name, leads in (("up", ".."), ("here", "."), ("a/again", "../c")):
        (study / name).symlink_to(leads)
    (elsewhere / "deep" / "back").symlink_to(study)
    found = [(one.relative_to(study).as_posix(), s) for one, _, s in find_pairs(study)]
    assert found == [("a/7_T101.h5", "7"), ("b/8_T101.h5", "8"), ("c/c/9_T101.h5", "9")]
    assert "3 pairs; left out: 5 folders that are searched elsewhere (" in capsys.readouterr().err


def test_what_a_search_leaves_out_is_counted_and_said(tmp_path, capsys):
    touch(*(tmp_path / name for name in ("7_T101.h5", "7_T201.h5", "8_T101.H5", "8_T201.h5")))
    (tmp_path / "8_FLAIR01.h5").touch()
    assert len(find_pairs(tmp_path)) == 2
    assert capsys.readouterr() == ("", "")  # nothing was that could have been a pair
    names = ("7_T202.h5", "9_T101.h5", "9_FLAIR01.h5", "9_T101_old.h5", "7_T11.h5", "notes.txt")
    touch(*(tmp_path / name for name in names))
    (tmp_path / "10").symlink_to(tmp_path / "unmounted")
    assert len(find_pairs(tmp_path)) == 2
    out, err = capsys.readouterr()
    assert (
        out == ""
        and err.count("\n") == 1
        and err.startswith(f"note: {tmp_path}: 2 pairs; left out: ")
    )
    for said in (
        "1 links that lead nowhere (10)",
        "1 without a name of M4Raw's (9_T101_old.h5)",
        "2 of another contrast (8_FLAIR01.h5, ...)",
        "1 with the number of another (7_T11.h5)",
        "2 without a partner (7_T202.h5, ...)",
    ):
        assert said in err, said
    with pytest.raises(InputError, match="but no pair; left out: 1 links that lead nowhere"):
        find_pairs(tmp_path, "FLAIR", "GRE")


def count_sides(pairs, subjects) -> None:
    """No subject is on both sides, whatever the seed."""
    of = dict(zip(pairs, subjects, strict=True))
    for seed in range(6):
        train, validation = split_by_subject(pairs, 0.5, seed)
        assert sorted(train + validation) == sorted(pairs) and train and validation
        assert not {of[pair] for pair in train} & {of[pair] for pair in validation}


def test_split_keeps_the_patient_of_fastmri_whole(tmp_path, capsys):
    lines, subjects = [], []
    for number in range(12):
        for kind in ("pd", "fs"):
            with h5py.File(tmp_path / f"{kind}{number}.h5", "w") as file:
                file.attrs["patient_id"] = f"patient {number % 4}"
        lines.append(f"pd{number},fs{number}\n")
        subjects.append(number % 4)
    (tmp_path / "pairs.csv").write_text("".join(lines))
    count_sides(read_pairs_csv(tmp_path / "pairs.csv"), subjects)
    assert "split: 4 subjects, 12 pairs by patient_id\n" in capsys.readouterr().err
    with h5py.File(tmp_path / "fs3.h5", "a") as file:  # of one patient, of two: both stay together
        file.attrs["patient_id"] = "patient 0"
    count_sides(read_pairs_csv(tmp_path / "pairs.csv"), [0 if s == 3 else s for s in subjects])
    same = [pair for pair, s in zip(read_pairs_csv(tmp_path / "pairs.csv"), subjects, strict=True)
            if s == 1]  # fmt: skip
    with pytest.raises(InputError, match=r"1 subjects \(3 pairs by patient_id\)"):
        split_by_subject(same, 0.5, 0)


@pytest.mark.parametrize(
    "kind, name",
    [
        ("sub-", "sub-{s}/ses-{k}/anat/sub-{s}_ses-{k}_{c}w.nii.gz"),
        ("sub-", "all/sub-{s}_ses-{k}_{c}w.nii.gz"),
        ("folder", "p{s}/{c}.npy"),
        ("folder", "p{s}/visit{k}/{c}.npy"),
        ("name", "patient{s}.{c}.npy"),
        ("subject", "{s}_{c}0{k}.h5"),
        ("subject", "visit{k}/{s}_{c}0{k}.h5"),
    ],
)
def test_split_keeps_bids_subjects_and_folders_whole(kind, name, tmp_path, capsys):
    lines, subjects = [], []
    for s in range(4):
        for k in (1, 2) if "{k}" in name else (1,):
            one, two = (name.format(s=s, k=k, c=c) for c in ("T1", "T2"))
            touch(tmp_path / one, tmp_path / two)
            lines.append(f"{one},{two}\n")
            subjects.append(s)
    (tmp_path / "pairs.csv").write_text("".join(lines))
    count_sides(read_pairs_csv(tmp_path / "pairs.csv"), subjects)
    assert f"split: 4 subjects, {len(lines)} pairs by {kind}\n" in capsys.readouterr().err


def test_a_repetition_without_patient_id_stays_with_its_subject(tmp_path):
    names = [f"{s}_{c}0{k}.h5" for s in range(4) for c in ("T1", "T2") for k in (1, 2)]
    for name in names:
        with h5py.File(tmp_path / name, "w") as file:
            if "01" in name:
                file.attrs["patient_id"] = f"M4Raw {name[0]}"
    pairs = find_pairs(tmp_path)
    count_sides(pairs, [subject for *_, subject in pairs])
    for path in tmp_path.iterdir():
        os.truncate(path, 0)
    assert split_by_subject(pairs, 0.5, 0) == split_by_subject(find_pairs(tmp_path), 0.5, 0)


@pytest.mark.parametrize(
    "one, other",
    [
        (7, 7),
        (np.int64(2**60), str(2**60)),
        (7.0, np.uint8(7)),
        (np.array([7]), np.array([[7]], np.int16)),
        (b"P1", "P1 "),
        (np.bytes_(b"P1"), np.void(b"P1")),
        (np.array(["P1"], "S2"), "P1"),
        (np.array(["P1"], object), np.array([[b"P1"]], "S9")),
    ],
)
def test_a_patient_id_of_any_type_keeps_its_patient_whole(one, other, tmp_path):
    pairs = []
    for s, patient in enumerate((one, other, "someone", 8)):
        pairs.append((tmp_path / f"{s}_T101.h5", tmp_path / f"{s}_T201.h5", str(s)))
        for path in pairs[-1][:2]:
            with h5py.File(path, "w") as file:
                file.attrs["patient_id"] = patient
    count_sides(pairs, [0, 0, 2, 3])
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file.attrs["patient_id"] = h5py.Empty("f")
    assert read_patient(tmp_path / "empty.h5") is None


def test_what_links_lead_to_is_one_subject(tmp_path, capsys):
    touch(*(tmp_path / f"{s}_{c}01.h5" for s in (1, 2, 4) for c in ("T1", "T2")))
    for contrast in ("T1", "T2"):
        (tmp_path / f"3_{contrast}01.h5").symlink_to(f"1_{contrast}01.h5")
        (tmp_path / f"5_{contrast}01.h5").hardlink_to(tmp_path / f"2_{contrast}01.h5")
    pairs = find_pairs(tmp_path)
    count_sides(pairs, ["1", "2", "1", "4", "2"])
    assert "split: 3 subjects, 5 pairs by subject" in capsys.readouterr().err
    (tmp_path / "again").symlink_to(".")  # a list may go by it, and name one of the two files only
    (tmp_path / "list.csv").write_text("1_T101,2_T201\nagain/1_T101,4_T201\n4_T101,5_T201\n")
    with pytest.raises(InputError, match="found 1 subjects"):
        split_by_subject(read_pairs_csv(tmp_path / "list.csv"), 0.5, 0)


def test_links_carry_the_subject_of_what_they_lead_to(tmp_path):
    pairs, subjects = [], []
    for s in range(3):
        for k in (1, 2):
            real = tmp_path / f"data/sub-0{s}/ses-{k}"
            for kind, names in (("a", ("T1.npy", "T2.npy")), ("b", (f"{s}_T10{k}.h5",) * 2)):
                touch(*(real / name for name in names))
                links = [tmp_path / f"flat/{kind}{2 * s + k}_{side}.nii" for side in (0, 1)]
                touch(tmp_path / "flat/x")
                for link, name in zip(links, names, strict=True):
                    link.symlink_to(real / name)
                pairs.append((*links, links[0].name.split(".")[0]))
                subjects.append(s)
    count_sides(pairs, subjects)


def test_hidden_folders_broken_links_and_other_endings_are_counted(tmp_path, capsys):
    names = ("7_T101.h5", "7_T201.h5", ".ipynb_checkpoints/7_T101.h5", "a/.old/8_T101.h5")
    touch(*(tmp_path / name for name in (*names, "a/.old/8_T201.h5", "6_T101.hdf5")))
    for name in ("9_T101.h5", "9_T201.h5", "a/.b"):
        (tmp_path / name).symlink_to(tmp_path / "unmounted" / name)
    (tmp_path / ".again").symlink_to(tmp_path / "a")
    assert [subject for *_, subject in find_pairs(tmp_path)] == ["7"]
    err = capsys.readouterr().err
    for said in (
        "1 pairs; left out: ",
        "3 hidden folders (.again, ...)",
        "3 links that lead nowhere (",
        "1 that do not end in .h5 (6_T101.hdf5)",
    ):
        assert said in err, (said, err)
    assert find_pairs(tmp_path / ".again" / ".old")  # who asks for a hidden one gets it
