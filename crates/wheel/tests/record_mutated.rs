//! A RECORD with random damage either is refused or means the same to everyone who reads it.

use testkit::Mutations;
use wheel::{parse_record, parse_record_paths, write_record};

#[test]
fn damaged_records() {
    let original = "h_x/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\n\"h_x/a, \"\"b\"\".py\",sha256=x,12\r\n\
        ../../bin/h_x,sha512=YQ,3\r\nh_x/\u{fc}.py,,\r\nh_x-1.dist-info/RECORD,,\r\n";
    let words = [
        "\"",
        "\"\"",
        ",",
        ",,",
        ",,,",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "=",
        "sha256=",
        "-1",
        "+1",
        "18446744073709551616",
        "../",
        "/",
        "\0",
        "\\",
        " ",
        "\t",
        "#",
        "'",
    ];
    let mut accepted = 0;
    for bytes in Mutations::of(original, 5_000).words(words) {
        let paths = parse_record_paths(&bytes);
        let Ok(mut rows) = parse_record(&bytes) else { continue };
        accepted += 1;
        // What is checked when it is unpacked is what is removed when it is uninstalled.
        let of_rows: Vec<String> = rows.iter().map(|row| row.path.clone()).collect();
        assert_eq!(paths, Ok(of_rows));
        // And what is written of it.
        rows.sort();
        assert_eq!(parse_record(&write_record(&rows)), Ok(rows));
    }
    assert!(accepted > 500, "only {accepted}");
}
