"""Golden values of real files, and the pitfalls of GOLDEN.md and CASES.md 1 to 5 and 13."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.records import rendering
from app.records.description import Person
from app.records.images import Frame, Image, Lut, Unreadable, Window, _lut, image_of, open_images
from app.records.reader import ReaderProcess, Reply
from app.records.refusal import RefusedError
from tests.support.shared import shared_data

_WHEEL = "pydicom 3.0.2 wheel"
_LOSSY = {"693_J2KI.dcm"}
_NAMES = (
    *("CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    *("MR_small_bigendian.dcm", "examples_overlay.dcm", "J2K_pixelrep_mismatch.dcm", "693_J2KI.dcm", "rtdose.dcm"),
    *(
        "image_dfl.dcm",
        "examples_palette.dcm",
        "examples_rgb_color.dcm",
        "examples_ybr_color.dcm",
        "SC_rgb_small_odd.dcm",
    ),
    *("liver_1frame.dcm", "dx_image.dcm", "vlut_04.dcm", "emri_small.dcm", "emri_small_big_endian.dcm", "ct_image.dcm"),
    *("SC_ybr_full_uncompressed.dcm", "sm_image_jpegls.dcm"),
)
_GREY = [name for name in _NAMES if not name.startswith(("SC_", "examples_rgb", "examples_ybr", "examples_pal", "sm_"))]
_COLOR = [name for name in _NAMES if name not in _GREY]


@cache
def golden() -> dict[str, dict[str, Any]]:
    files = json.loads(shared_data("golden.json").read_bytes())["files"]
    return {row["file"]: row for row in files}


def wheel_file(name: str) -> Path:
    """Return a test file of the installed pydicom, never from the network."""
    import pydicom.data  # noqa: PLC0415  -- slow, and only for its folder

    return Path(pydicom.data.__file__).parent / "test_files" / name


def content_of(name: str) -> bytes:
    row = golden()[name]
    path = wheel_file(name) if row["where"].startswith(_WHEEL) else shared_data("data/dicom") / name
    return path.read_bytes()


_read: dict[str, Image] = {}


@pytest.fixture
def image(reader: ReaderProcess, request: pytest.FixtureRequest) -> Image:
    name = request.param
    if name not in _read:
        (shown,) = open_images(reader, [content_of(name)])
        assert isinstance(shown, Image), shown
        _read[name] = shown
    return _read[name]


@pytest.fixture
def row(request: pytest.FixtureRequest) -> dict[str, Any]:
    return golden()[request.node.callspec.params["image"]]


def test_the_names_are_all_that_golden_json_has() -> None:
    assert sorted(_NAMES) == sorted(golden())


@pytest.mark.parametrize("image", _NAMES, indirect=True)
def test_geometry(image: Image, row: dict[str, Any]) -> None:
    assert image.pixels.shape[:3] == (row["frames"], row["rows"], row["columns"])
    assert image.modality == row["modality"]
    assert image.transfer_syntax_uid == row["transfer_syntax"]
    spacing = row["pixel_spacing_row_column_mm"] or row.get("functional_groups", {}).get("pixel_spacing")
    if row["file"] == "sm_image_jpegls.dcm":
        spacing = [0.000499, 0.000499]  # in its shared functional groups, which golden.json did not look into
    assert image.frames[0].pixel_spacing == (None if spacing is None else pytest.approx(spacing, abs=1e-5))
    assert (image.frame_time_ms or None) == (pytest.approx(row["frame_time_ms"]) if "frame_time_ms" in row else None)


@pytest.mark.parametrize("image", _GREY, indirect=True)
def test_read_outs(image: Image, row: dict[str, Any]) -> None:
    tolerance = 5 if row["file"] in _LOSSY else 1e-9
    for point, (line, column) in row["points_row_column"].items():
        if point not in row["stored"]:
            continue
        seen = rendering.read_out(image, 0, line, column)
        assert seen.stored == pytest.approx((row["stored"][point],), abs=tolerance)
        assert seen.value == pytest.approx(row["value"][point], abs=tolerance)
        assert seen.unit == row["value_unit"]


@pytest.mark.parametrize("image", [name for name in _GREY if name not in _LOSSY], indirect=True)
def test_values(image: Image, row: dict[str, Any]) -> None:
    values = rendering.modality_values(image, 0)
    low, high = row.get("value_min_max_without_padding", row["value_min_max"])
    assert (np.nanmin(values), np.nanmax(values)) == pytest.approx((low, high))
    assert np.nanmean(values) == pytest.approx(row["value_mean"], abs=1e-5)
    means = row.get("frame_means", [])
    assert [float(image.pixels[index].mean()) for index in range(len(means))] == pytest.approx(means)


@pytest.mark.parametrize("image", [name for name in _GREY if name not in _LOSSY], indirect=True)
def test_shades(image: Image, row: dict[str, Any]) -> None:
    for shown in row.get("displayed", []):
        window = Window(shown["center"], shown["width"])
        if shown["window"].startswith("full range"):
            assert rendering.full_range(image, 0).center == shown["center"]
            assert rendering.full_range(image, 0).width == shown["width"]
        grey = rendering.shades(image, 0, window)
        values = rendering.modality_values(image, 0)
        for point, unrounded in shown["exact"].items():
            line, column = row["points_row_column"][point]
            exact = float(rendering.exact(values[line : line + 1, column], window)[0])
            exact = 255 - exact if image.photometric_interpretation == "MONOCHROME1" else exact
            assert exact == pytest.approx(unrounded, abs=1e-6)
            near_half = abs(unrounded % 1 - 0.5) < 0.01
            assert int(grey[line, column]) == pytest.approx(shown["gray8"][point], abs=1 if near_half else 0)
        assert grey.mean() == pytest.approx(shown["gray8_mean"], abs=1e-3)


@pytest.mark.parametrize("image", [name for name in _GREY if name not in _LOSSY], indirect=True)
def test_areas_and_lengths(image: Image, row: dict[str, Any]) -> None:
    if "roi" in row:
        roi = row["roi"]
        inside = np.zeros((row["rows"], row["columns"]), bool)
        inside[roi["rows"][0] : roi["rows"][1] + 1, roi["columns"][0] : roi["columns"][1] + 1] = True
        seen = rendering.statistics(image, 0, inside)
        assert seen is not None
        assert seen.pixels == roi["pixels"]
        assert seen.mean == pytest.approx(roi["mean"], abs=1e-6)
        assert seen.deviation == pytest.approx(roi["standard_deviation_population"], abs=1e-6)
        assert (seen.minimum, seen.maximum) == pytest.approx((roi["min"], roi["max"]))
        assert seen.area_mm2 == (pytest.approx(roi["area_mm2"], abs=1e-3) if "area_mm2" in roi else None)
    if "length_p1_p2_mm" in row:
        first, last = (tuple(row["points_row_column"][point]) for point in ("p1", "p2"))
        assert rendering.length(image, 0, first, last).value == pytest.approx(row["length_p1_p2_mm"], abs=1e-6)


@pytest.mark.parametrize("image", _COLOR, indirect=True)
def test_colors(image: Image, row: dict[str, Any]) -> None:
    tolerance = 2 if "tolerance" in row else 0
    seen = rendering.colors(image, 0)
    for point, (line, column) in row["points_row_column"].items():
        if point in row["rgb8"]:
            assert [int(sample) for sample in seen[line, column]] == pytest.approx(row["rgb8"][point], abs=tolerance)
            assert rendering.read_out(image, 0, line, column).unit == "RGB"
        if point in row.get("stored_components", {}):
            stored = [int(sample) for sample in image.pixels[0, line, column]]
            assert stored == pytest.approx(row["stored_components"][point], abs=tolerance)
    if "rgb_channel_means" in row:
        assert seen.reshape(-1, 3).mean(axis=0) == pytest.approx(
            row["rgb_channel_means"], abs=0.5 if tolerance else 0.01
        )


@pytest.mark.parametrize("image", ["vlut_04.dcm"], indirect=True)
def test_a_voi_lut_replaces_the_window(image: Image, row: dict[str, Any]) -> None:
    output = rendering.voi_output(image, 0)
    for point, expected in row["voi_lut_output"].items():
        assert output[tuple(row["points_row_column"][point])] == expected
    assert [int(output.min()), int(output.max())] == row["voi_lut_output_min_max"]
    assert rendering.first_window(image, 0) == rendering.Chosen(None, "")
    assert rendering.shades(image, 0, None)[256, 128] == 51


@pytest.mark.parametrize("image", ["examples_overlay.dcm"], indirect=True)
def test_overlays_are_shown_where_they_belong(image: Image, row: dict[str, Any]) -> None:
    (overlay,) = image.overlays
    (expected,) = row["overlays"]
    assert (overlay.group, list(overlay.origin), int(overlay.plane.sum())) == (
        expected["group"],
        expected["origin"],
        expected["set_pixels"],
    )
    assert overlay.plane.shape == (expected["rows"], expected["columns"])


@pytest.mark.parametrize("image", ["CT_small.dcm"], indirect=True)
def test_case_1_statistics_never_show_nan(image: Image) -> None:
    nothing = np.zeros((128, 128), bool)
    assert rendering.statistics(image, 0, nothing) is None
    padded = replace(image, padding=(-32768, 32767))
    assert rendering.statistics(padded, 0, ~nothing) is None
    assert rendering.read_out(padded, 0, 64, 32).unit == "no measurement"


@pytest.mark.parametrize("image", ["dx_image.dcm"], indirect=True)
def test_case_2_inversion_comes_after_the_window_and_leaves_values_alone(image: Image) -> None:
    window = rendering.first_window(image, 0).window
    assert window is not None
    points = {(84, 52): 96, (42, 105): 108, (5, 94): 0}
    grey = rendering.shades(image, 0, window)
    assert {place: int(grey[place]) for place in points} == points
    turned = rendering.shades(image, 0, window, inverted=True)
    assert {place: int(turned[place]) for place in points} == {place: 255 - shade for place, shade in points.items()}
    assert [rendering.read_out(image, 0, *place).value for place in points] == [159, 147, 255]


def test_case_3_the_half_pixel_of_linear() -> None:
    values = np.array([-160, -129, -100, 40, 66, 195, 239, 240], float)
    shades = np.floor(rendering.exact(values, Window(40, 400)) + 0.5)
    assert list(shades) == [0, 20, 38, 128, 144, 227, 255, 255]


def test_case_3_a_width_below_one_uses_linear_exact_and_says_so() -> None:
    window, note = rendering.usable(Window(0.4565323565, 0.9130647131))
    assert window is not None
    assert "LINEAR_EXACT" in note
    stored = np.array([1, 1000, 1870, 3000, 3740])
    values = stored * 0.0002442002587 - 0.0002442002587
    assert list(np.floor(rendering.exact(values, window) + 0.5)) == [0, 68, 127, 205, 255]


@pytest.mark.parametrize("width", [0.0, -5.0, math.nan, math.inf])
def test_case_3_a_width_without_meaning_is_refused(width: float) -> None:
    window, note = rendering.usable(Window(40, width))
    assert window is None
    assert "full range" in note


def test_width_one_is_a_threshold_and_sigmoid_is_half_at_its_center() -> None:
    values = np.array([39.4, 39.5, 39.6, 40.0])
    assert list(rendering.exact(values, Window(40, 1))) == [0, 0, 255, 255]
    assert rendering.exact(np.array([40.0]), Window(40, 400, "", "SIGMOID"))[0] == pytest.approx(127.5)
    assert list(rendering.exact(np.array([-1e9, 1e9]), Window(40, 400, "", "SIGMOID"))) == pytest.approx([0, 255])


def test_case_4_rows_and_columns_have_their_own_spacing() -> None:
    image = plain(np.zeros((1, 800, 600), np.int16), pixel_spacing=(0.5954, 0.5454))
    assert rendering.length(image, 0, (0, 0), (0, 600)).value == pytest.approx(327.24)
    assert rendering.length(image, 0, (0, 0), (800, 0)).value == pytest.approx(476.32)
    assert rendering.length(image, 0, (0, 0), (800, 600)).value == pytest.approx(577.898572)


def test_case_5_spacing_at_the_detector_is_never_plain_millimetres() -> None:
    image = plain(np.zeros((1, 9, 200), np.int16), imager_pixel_spacing=(0.139, 0.139))
    assert rendering.length(image, 0, (4, 10), (4, 110)).text == "13.9 mm at detector, not calibrated"
    bare = plain(np.zeros((1, 9, 200), np.int16))
    assert rendering.length(bare, 0, (4, 10), (4, 110)).text == "100.0 px not calibrated"
    nothing = plain(np.zeros((1, 9, 9), np.int16), imager_pixel_spacing=(0.0, 0.0))
    assert rendering.length(nothing, 0, (0, 0), (0, 3)).unit == "px"
    calibrated = plain(np.zeros((1, 9, 9), np.int16), pixel_spacing=(1.0, 1.0), imager_pixel_spacing=(2.0, 2.0))
    assert rendering.length(calibrated, 0, (0, 0), (0, 3)).text == "3.0 mm"


@pytest.mark.parametrize("image", ["CT_small.dcm"], indirect=True)
def test_case_13_the_pixel_under_the_pointer_is_the_one_drawn(image: Image) -> None:
    assert rendering.read_out(image, 0, 64, 32).text == "354 HU"
    assert rendering.read_out(image, 0, 32, 64).text == "254 HU"
    for place in ((-1, 0), (0, -1), (128, 0), (0, 128)):
        with pytest.raises(IndexError):
            rendering.read_out(image, 0, *place)


@pytest.mark.parametrize("image", ["CT_small.dcm"], indirect=True)
def test_a_ct_without_window_gets_soft_tissue_and_says_so(image: Image) -> None:
    chosen = rendering.first_window(image, 0)
    assert chosen.window == Window(50, 400, "Soft tissue")
    assert chosen.note == "The file has no window; Soft tissue 50/400 was chosen."


@pytest.mark.parametrize("image", ["emri_small.dcm"], indirect=True)
def test_another_image_without_window_shows_its_full_range_and_says_so(image: Image) -> None:
    chosen = rendering.first_window(image, 0)
    assert chosen.window == Window(213, 426, "Full range")
    assert "full range" in chosen.note


@pytest.mark.parametrize("image", ["693_J2KI.dcm"], indirect=True)
def test_padding_is_masked_before_the_rescale(image: Image, row: dict[str, Any]) -> None:
    values = rendering.modality_values(image, 0)
    assert image.padding == (-2000, -2000)
    assert np.isnan(values[image.pixels[0] == -2000]).all()
    assert int(np.isnan(values).sum()) == pytest.approx(row["padding_pixels"], abs=30)


def test_the_same_slice_in_six_encodings_is_the_same_in_every_pixel(reader: ReaderProcess) -> None:
    names = [name for name in _NAMES if name.startswith("MR_small")]
    shown = [one for one in open_images(reader, [content_of(name) for name in names]) if isinstance(one, Image)]
    assert len(shown) == len(names)
    assert all(np.array_equal(shown[0].pixels, one.pixels) for one in shown)
    assert {one.pixels.dtype.str for one in shown} == {"<i2"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("JPGExtended.dcm", "12-bit JPEG Extended, which Assent cannot decode"),
        ("JPEG-lossy.dcm", "12-bit JPEG Extended"),
        ("SC_rgb_jpeg_gdcm.dcm", "JPEG Lossless, which Assent cannot decode"),
        ("test-SR.dcm", "holds no picture"),
    ],
)
def test_what_cannot_be_decoded_is_named_with_what_to_do(reader: ReaderProcess, name: str, words: str) -> None:
    shown = list(open_images(reader, [wheel_file(name).read_bytes(), content_of("CT_small.dcm")]))
    assert isinstance(shown[0], Unreadable)
    assert words in shown[0].reason
    assert isinstance(shown[1], Image)


def test_an_image_that_ends_its_child_leaves_the_others_readable(reader: ReaderProcess) -> None:
    good = content_of("CT_small.dcm")
    bomb = wheel_file("JPEG2000-embedded-sequence-delimiter.dcm").read_bytes()
    shown = list(open_images(reader, [good, bomb, good, good, bomb, good]))
    assert [isinstance(one, Image) for one in shown] == [True, False, True, True, False, True]


def test_images_are_taken_one_by_one(reader: ReaderProcess) -> None:
    taken: list[int] = []

    def objects() -> Iterator[bytes]:
        for number in range(20):
            taken.append(number)
            yield content_of("MR_small.dcm")

    series = open_images(reader, objects())
    assert isinstance(next(series), Image)
    assert taken == [0]
    series.close()


def test_an_answer_of_another_form_is_no_image() -> None:
    good = np.zeros((1, 2, 2), np.uint8)
    for document, arrays in (({}, ()), ({}, (good,)), ({"frames": [], "voi_function": ""}, (good,))):
        with pytest.raises(RefusedError, match="not usable"):
            image_of(Reply(document, arrays))
    for bits, table in ((0, good), (17, good), (8, good[:0])):
        with pytest.raises(ValueError, match="bits"):
            _lut({"first": 0, "bits": bits, "array": 0}, (table,))


def test_no_objects_give_no_images(reader: ReaderProcess) -> None:
    assert list(open_images(reader, [])) == []


def plain(pixels: Any, **changed: Any) -> Image:
    """Return a grey image without anything of note."""
    frame_fields = {"pixel_spacing", "windows", "slope", "intercept", "orientation"}
    frame = replace(
        Frame(1.0, 0.0, (), None, None, None, None), **{name: changed.pop(name) for name in frame_fields & set(changed)}
    )
    image = Image(
        pixels=pixels,
        frames=(frame,) * pixels.shape[0],
        series_instance_uid="1.2",
        modality="OT",
        photometric_interpretation="MONOCHROME2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        bits_stored=16,
        unit="stored",
        padding=None,
        modality_lut=None,
        voi_lut=None,
        palette=None,
        overlays=(),
        imager_pixel_spacing=None,
        frame_time_ms=None,
        lossy=False,
        person=Person(),
        study_date="",
        study_time="",
        study_description="",
        series_description="",
        patient_orientation=(),
        order=(0.0, 0.0, 0.0, 0.0),
        notes=(),
    )
    return replace(image, **changed)


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", "<i2", "<u4", "<i4", "<f4"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_table_and_the_formula_agree_for_every_type(dtype: str, photometric: str) -> None:
    kind = np.dtype(dtype)
    least, most = (-500, 500) if kind.kind == "f" else (np.iinfo(kind).min, np.iinfo(kind).max)
    pixels = np.linspace(least, most, 600).astype(kind).reshape(1, 20, 30)
    image = plain(pixels, photometric_interpretation=photometric, slope=-0.5, intercept=3.0)
    window = Window(float(-0.5 * (least / 2 + most / 2)), float(most / 3 - least / 3))
    unrounded = rendering.exact(pixels[0].astype(float) * -0.5 + 3.0, window)
    turned = 255 - unrounded if photometric == "MONOCHROME1" else unrounded
    assert np.array_equal(rendering.shades(image, 0, window), np.floor(turned + 0.5).astype(np.uint8))
    assert np.array_equal(
        255 - rendering.shades(image, 0, window), rendering.shades(image, 0, window, inverted=True)
    ) or (
        np.abs(
            rendering.shades(image, 0, window).astype(int) + rendering.shades(image, 0, window, inverted=True) - 255
        ).max()
        <= 1
    )


def test_a_modality_lut_gives_the_values_and_clips_outside_its_table() -> None:
    lut = Lut(100, 16, np.array([10, 20, 40], np.uint16))
    image = plain(np.array([[[0, 100, 101, 102, 500]]], np.int16), modality_lut=lut)
    assert list(rendering.modality_values(image, 0)[0]) == [10, 10, 20, 40, 40]
    assert rendering.full_range(image, 0) == Window(25.5, 31, "Full range")
    with pytest.raises(ValueError, match="no VOI LUT"):
        rendering.voi_output(image, 0)


def test_sixteen_bit_colors_show_their_high_byte_and_unknown_spaces_are_refused() -> None:
    pixels = np.array([[[[0xFFFF, 0x8000, 0x00FF]]]], np.uint16)
    image = plain(pixels, photometric_interpretation="RGB")
    assert list(rendering.colors(image, 0)[0, 0]) == [255, 128, 0]
    with pytest.raises(ValueError, match="YBR_PARTIAL"):
        rendering.colors(replace(image, photometric_interpretation="YBR_PARTIAL_420"), 0)
    with pytest.raises(ValueError, match="no colour"):
        rendering.colors(plain(np.zeros((1, 2, 2), np.uint8)), 0)
    assert rendering.first_window(image, 0) == rendering.Chosen(None, "")
    assert rendering.read_out(image, 0, 0, 0).text == "255 / 128 / 0"


def test_a_window_of_the_file_that_cannot_be_used_is_passed_over() -> None:
    pixels = np.array([[[1, 5]]], np.int16)
    image = plain(pixels, windows=(Window(1, 0), Window(3, 4, "own")))
    assert rendering.first_window(image, 0) == rendering.Chosen(Window(3, 4, "own"), "")


def test_without_window_or_lut_shades_show_the_full_range() -> None:
    image = plain(np.array([[[10, 20]]], np.int16))
    assert list(rendering.shades(image, 0, None)[0]) == [0, 255]
    dose = plain(np.array([[[10, 20]]], np.int32), slope=0.001)
    assert list(rendering.shades(dose, 0, None)[0]) == [0, 255]


def test_values_beyond_all_numbers_are_no_shade_and_no_statistic() -> None:
    image = plain(np.array([[[1.0, math.nan, math.inf]]], np.float64))
    assert list(rendering.shades(image, 0, Window(1, 4))[0])[1] == 0
    seen = rendering.statistics(image, 0, np.ones((1, 3), bool))
    assert seen is not None
    assert (seen.pixels, seen.mean) == (1, 1.0)


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [
        ((1, 0, 0, 0, 1, 0), ("R", "L", "A", "P")),
        ((0, 1, 0, 0, 0, -1), ("A", "P", "H", "F")),
        ((0.8, 0.6, 0, 0, 0, -1), ("RA", "LP", "H", "F")),
        (None, ("", "", "", "")),
    ],
)
def test_edges_name_the_patients_directions(orientation: tuple[float, ...] | None, letters: tuple[str, ...]) -> None:
    image = plain(np.zeros((1, 2, 2), np.int16), orientation=orientation)
    assert rendering.edge_letters(image, 0) == letters


def test_edges_fall_back_to_what_a_radiograph_states() -> None:
    image = plain(np.zeros((1, 2, 2), np.int16), patient_orientation=("L", "F"))
    assert rendering.edge_letters(image, 0) == ("R", "L", "H", "F")
