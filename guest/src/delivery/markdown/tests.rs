use proptest::prelude::*;

use super::*;

/// Makes the characters that protect visible.
fn visible(text: &str) -> String {
    text.replace('\u{200b}', "⌁")
        .replace('\u{200a}', "¦")
        .replace('\u{a0}', "·")
}

fn assert_shown(cases: &[(&str, &str, &str)]) {
    for (text, qq, plain) in cases {
        assert_eq!(visible(&to_qq(text)), *qq, "for QQ: {text}");
        assert_eq!(to_plain(text), *plain, "plain: {text}");
    }
}

#[test]
fn only_links_into_the_web_are_links() {
    for address in [
        "mqqapi://aio/inlinecmd?command=%2Fallow&enter=true",
        "javascript:alert(1)",
        "file:///etc",
        "MQQAPI://x",
        "//x",
    ] {
        for text in [
            format!("[Sunny]({address})"),
            format!("![Sunny]({address})"),
            format!("[Sunny]\\({address})"),
            format!("[Sunny\\]({address})"),
            format!("[`Sunny`]({address})"),
            format!("[Sunny](<{address}>)"),
            format!("[Sunny]( {address} \"t\")"),
            format!("![ [Sunny]({address}) ](https://a.cn/p.png)"),
            format!("![ [Sunny]({address}) ](https://a.cn/p.png =1x1)"),
            format!("[ [Sunny]({address}) ](https://a.cn)"),
            format!("[a](https://a.cn/](<{address}>)"),
            format!("<https://a.cn/[Sunny]({address})>"),
            format!("[Sunny]\n\n[Sunny]: {address}"),
            format!("| a | [Sunny]({address}) |\n|-|-|\n| 1 | 2 |"),
            format!("### [Sunny]({address})"),
            format!("- [ ] [Sunny]({address})"),
            format!("[Sunny]<!-- -->({address})"),
            format!("[Sunny]<b>({address})</b>"),
        ] {
            let shown = to_qq(&text);
            assert!(!shown.contains("]:"), "{text}: {shown}");
            for (at, _) in shown.match_indices("](") {
                let target = &shown[at + 2..];
                assert!(inline::is_web(target), "{text}: {shown}");
            }
        }
    }
}

#[test]
fn headings_below_the_second_level_become_bold_lines() {
    assert_shown(&[
        ("# A `b` #\ntext", "# A b\ntext", "A b\ntext"),
        ("## A\n- x", "## A\n- x", "A\n• x"),
        ("### **A** b\n- x", "**A b**\n\n- x", "A b\n• x"),
        ("#### C# and F#", "**C# and F#**", "C# and F#"),
        ("#tag is text", "#tag is text", "#tag is text"),
    ]);
}

#[test]
fn lists_get_the_blank_line_and_the_indentation_that_qq_needs() {
    assert_shown(&[
        ("Two:\n- a\n- b", "Two:\n\n- a\n- b", "Two:\n• a\n• b"),
        (
            "* a\n  + b\n    - c\n* d",
            "- a\n    - b\n        - c\n- d",
            "• a\n  • b\n    • c\n• d",
        ),
        (
            "1. a\n   - b\n2) c",
            "1. a\n    - b\n2) c",
            "1. a\n  • b\n2) c",
        ),
        (
            "- a\n  more\n\n  still\n\nover",
            "- a\n    more\n\n    still\n\nover",
            "• a\n  more\n\n  still\n\nover",
        ),
        ("- [ ] a\n- [x] b", "- ☐ a\n- ☑ b", "☐ a\n☑ b"),
        (
            "2026 was\n3.14 is\n-5 and *x",
            "2026 was\n3.14 is\n-5 and *x",
            "2026 was\n3.14 is\n-5 and *x",
        ),
    ]);
}

#[test]
fn code_becomes_quoted_lines_in_which_nothing_is_markup() {
    assert_shown(&[
        (
            "Run:\n```sh\n# go\n  rm *.o\n\nls <x>\n```\nDone",
            "Run:\n\n> **sh**\n> ⌁# go\n> ··rm *¦.o\n> ⌁\n> ls <⌁x>\n\nDone",
            "Run:\n\n# go\n  rm *.o\n\nls <x>\n\nDone",
        ),
        (
            "1. a\n   ```\n   x\n   ```\n2. b",
            "1. a\n\n> x\n\n2. b",
            "1. a\n\nx\n\n2. b",
        ),
        (
            "a\n\n    b_c **d**\n\n    - e\nf",
            "a\n\n> b_c *¦*¦d*¦*\n> ⌁\n> ⌁- e\n\nf",
            "a\n\nb_c **d**\n\n- e\n\nf",
        ),
        ("~~~\n```\n~~~", "> ⌁```", "```"),
        ("```\nopen", "> open", "open"),
        (
            "Call `f(*a)[0](b)` or `` `x` ``.",
            "Call f(*¦a)[0]⌁(b) or `x`.",
            "Call f(*a)[0](b) or `x`.",
        ),
        ("`# x`", "⌁# x", "# x"),
        (
            r"`a\*b &lt; x ~~y~~`",
            r"a\⌁*¦b &⌁lt; x ~¦~y~¦~",
            r"a\*b &lt; x ~~y~~",
        ),
        ("one ` tick", "one ` tick", "one ` tick"),
    ]);
}

#[test]
fn tables_become_lines_or_blocks_without_pipes() {
    assert_shown(&[
        (
            "Use:\n| Name | Value |\n|---|:-:|\n| cpu | **4** |\n| - mem | a\\|b |\nend",
            "Use:\n\n**Name：Value**\ncpu：**4**\n⌁- mem：a|b\n\nend",
            "Use:\n\nName：Value\ncpu：4\n- mem：a|b\n\nend",
        ),
        (
            "| A | B | C |\n|---|---|---|\n| **r1** | 1<br>2 | |\n| r2 | # x | y | z |",
            "**r1**\nB：1 / 2\n\n**r2**\nB：# x\nC：y\nz",
            "r1\nB：1 / 2\n\nr2\nB：# x\nC：y\nz",
        ),
        ("a | b\n--|--\nc | d", "a | b\n\nc：d", "a | b\n\nc：d"),
        (
            "| not | a table |\nreally",
            "| not | a table |\nreally",
            "| not | a table |\nreally",
        ),
    ]);
}

#[test]
fn tags_that_are_not_ours_are_removed_or_broken() {
    assert_shown(&[
        (
            r#"<@7A> <@!61> <qqbot-at-user id="7A" /> hi"#,
            r#"<@7A> <@!61> <qqbot-at-user id="7A" /> hi"#,
            r#"<@7A> <@!61> <qqbot-at-user id="7A" /> hi"#,
        ),
        (
            "<@all> <qqbot-at-everyone />",
            "<⌁@all> <⌁qqbot-at-everyone />",
            "<@all> <qqbot-at-everyone />",
        ),
        (
            r#"<qqbot-cmd-enter text="x" />"#,
            r#"<⌁qqbot-cmd-enter text="x" />"#,
            r#"<qqbot-cmd-enter text="x" />"#,
        ),
        ("<b>x</b><br/>y <!-- z -->!", "x\ny !", "x\ny !"),
        ("> a<br>b", "> a\n> b", "> a\n> b"),
        ("<details open>\n<summary>S</summary>\nx", "S\nx", "S\nx"),
        (
            "Vec<String> and a <b and c> d, 2 < 3",
            "Vec<⌁String> and a <⌁b and c> d, 2 < 3",
            "Vec<String> and a <b and c> d, 2 < 3",
        ),
    ]);
}

#[test]
fn links_stay_and_images_without_a_size_become_links() {
    assert_shown(&[
        (
            "[t](https://a.cn/x_(y) \"title\")",
            "[t](https://a.cn/x_(y))",
            "t (https://a.cn/x_(y))",
        ),
        (
            "[a.cn](https://a.cn/) <https://a.cn/_x_>",
            "[a.cn](https://a.cn/) <https://a.cn/_x_>",
            "a.cn https://a.cn/_x_",
        ),
        (
            "[**t** `c`](./x.md) [u](#u) f[a](b)",
            "**t** c (./x.md) u f[a]⌁(b)",
            "t c (./x.md) u f[a](b)",
        ),
        (
            "![p](https://a.cn/p.png) ![](https://a.cn/q)",
            "[p](https://a.cn/p.png) <https://a.cn/q>",
            "p (https://a.cn/p.png) (https://a.cn/q)",
        ),
        (
            "![p #20px #30px](https://a.cn/p)",
            "![p #20px #30px](https://a.cn/p)",
            "p (https://a.cn/p)",
        ),
        (
            "![p](https://a.cn/p =20x30)",
            "![p #20px #30px](https://a.cn/p)",
            "p (https://a.cn/p)",
        ),
        (
            "[![p](https://i.cn)](https://a.cn)",
            "[p](https://a.cn)",
            "p (https://a.cn)",
        ),
    ]);
}

#[test]
fn quotes_are_flat_and_end_where_they_end() {
    assert_shown(&[
        (
            "> a\n> > b\n>\n> c\nd",
            "> a\n> b\n>\n> c\n\nd",
            "> a\n> b\n>\n> c\n\nd",
        ),
        ("> [!NOTE]\n> x", "> **NOTE**\n> x", "> NOTE\n> x"),
        ("> ```\n> a*b\n> ```", "> a*¦b", "> a*b"),
        (">_< and >= 5", ">_< and >= 5", ">_< and >= 5"),
        (">= 5", ">= 5", ">= 5"),
    ]);
}

#[test]
fn rules_and_blank_lines_are_brought_into_one_form() {
    assert_shown(&[
        (
            "a\n\n\n\nb\n\n---\nc\n___\n",
            "a\n\nb\n\n***\nc\n***",
            "a\n\nb\n\n──────────\nc\n──────────",
        ),
        (
            "Title\n=====\ntext",
            "Title\n***\ntext",
            "Title\n──────────\ntext",
        ),
        ("\n\n \na\r\nb\r\n", "a\nb", "a\nb"),
    ]);
}

#[test]
fn plain_text_has_no_marks_of_emphasis_and_keeps_everything_that_is_none() {
    for (text, expected) in [
        ("**a** *b* ***c*** __d e__ _f_ ~~g~~", "a b c d e f g"),
        (
            "**中文。**后面 这是**重点**内容 Python**语言**",
            "中文。后面 这是重点内容 Python语言",
        ),
        ("**two\nlines** and **`code`**", "two\nlines and code"),
        (r"\*a\* \_b\_ 1\. c", "*a* _b_ 1. c"),
        ("a * b * c", "a * b * c"),
        ("2*3*4 2**3**4 a ** b", "2*3*4 2**3**4 a ** b"),
        ("snake_case_x __init__ _x", "snake_case_x __init__ _x"),
        ("src/*.rs, tests/*.rs", "src/*.rs, tests/*.rs"),
        (r"C:\dir\_x 2 < 3", r"C:\dir_x 2 < 3"),
        (
            "https://a.cn/_b_/c_d?e=f **https://a.cn**",
            "https://a.cn/_b_/c_d?e=f https://a.cn",
        ),
        ("char *p and char *q", "char *p and char *q"),
        ("价格* 与 100*", "价格* 与 100*"),
    ] {
        assert_eq!(to_plain(text), expected);
    }
}

#[test]
fn a_growing_text_is_shown_as_far_as_it_is_certain() {
    for (text, shown) in [
        ("Hello wor", "Hello wor"),
        ("Hello **wor", "Hello "),
        ("Hello **world** a", "Hello **world** a"),
        ("See `co", "See "),
        ("See [link](https://a", "See "),
        ("a <b", "a "),
        ("a < b", "a < b"),
        ("Text\n-", "Text\n"),
        ("Text\n- it", "Text\n- it"),
        ("Text\n- [x", "Text\n"),
        ("Text\n1. it", "Text\n1. it"),
        ("Text\n20", "Text\n"),
        ("Text\n20 b", "Text\n20 b"),
        ("Text\n### hea", "Text\n"),
        ("Text\n```rust\nlet a\nle", "Text\n```rust\nlet a\n"),
        ("Text\n| a | b |\n", "Text\n"),
        (
            "Text\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3",
            "Text\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        ),
        ("> quo", ""),
    ] {
        assert_eq!(stable_prefix(text).trim_end(), shown.trim_end(), "{text}");
    }
    let long = format!("Hello **{}", "x".repeat(300));
    assert_eq!(
        stable_prefix(&long),
        long,
        "a bold text is not waited for without end"
    );
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\n",
        "\n",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        " ",
        "    ",
        "  ",
        "\t",
        "word",
        "a",
        "中文。",
        "🙂",
        "# ",
        "## ",
        "### ",
        "#",
        "- ",
        "* ",
        "+ ",
        "-",
        "1. ",
        "2) ",
        "1",
        ".",
        "[ ] ",
        "[x] ",
        "> ",
        ">",
        "```",
        "```rust\n",
        "~~~",
        "`",
        "``",
        "| a | b |\n",
        "| a | b | c |\n",
        "|---|---|\n",
        "|---|---|---|\n",
        "|",
        "--|--\n",
        "a | b",
        "**",
        "*",
        "__",
        "_",
        "~~",
        "~",
        "[",
        "](",
        "](https://a.cn",
        ")",
        "![",
        "https://a.cn/_x_",
        "(",
        "<",
        ">",
        "<br>",
        "<b>",
        "</b>",
        "<b",
        "<@7A>",
        "<@all>",
        "<qqbot-at-user id=\"",
        "7A\" />",
        "<!--",
        "-->",
        "<https://a.cn",
        "\\",
        "---",
        "***",
        "===",
        "&lt;",
        "=2x3",
        " \"t\"",
        "'",
        "!",
        "[!NOTE]",
        "\u{2028}",
        "\u{200b}",
        ":",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_shown_of_a_growing_text_is_never_taken_back(text in pieces()) {
        let whole = to_qq(&text);
        for cut in (0..=text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            let stable = stable_prefix(&text[..cut]);
            let shown = to_qq(stable);
            prop_assert!(whole.starts_with(shown.trim_end()), "{:?} of {:?}", shown, whole);
        }
    }

    #[test]
    fn complete_text_is_shown_but_for_a_row_that_waits(text in pieces()) {
        let text = text + "\n\n";
        prop_assert_eq!(stable_prefix(&text), &text);
    }

    #[test]
    fn nothing_grows_beyond_bounds(text in pieces(), times in 1usize..20) {
        let text = text.repeat(times);
        for shown in [to_qq(&text), to_plain(&text)] {
            prop_assert!(shown.len() <= 8 * text.len() + 512, "{} of {}", shown.len(), text.len());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n){0,80}") {
        let _ = (to_qq(&text), to_plain(&text));
        for cut in (0..=text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            let _ = stable_prefix(&text[..cut]);
        }
    }

    #[test]
    fn prose_comes_out_unchanged(text in "[A-Za-z中][A-Za-z0-9 中文，。,.;:'\"()?/@%$!-]{0,40}[a-z。](\n{1,2}[A-Za-z中][A-Za-z0-9 中文，。,.;'\"()?/-]{0,40}[a-z。]){0,4}") {
        prop_assert_eq!(&to_qq(&text), &text);
        prop_assert_eq!(&to_plain(&text), &text);
    }

    #[test]
    fn code_lines_come_out_as_they_are_in_plain_text(code in "[a-z*_#<>|~\\[\\]()&;=+ -]{0,60}") {
        let code = code.trim_end();
        let shown = to_plain(&format!("x\n~~~~~\n{code}\n~~~~~\ny"));
        prop_assert_eq!(shown, format!("x\n\n{code}\n\ny"));
    }

    #[test]
    fn what_is_protected_is_the_same_text_with_invisible_characters(code in "[a-z*_#<>|~\\[\\]()&;=+-]{1,60}") {
        let shown = to_qq(&format!("```\n{code}\n```"));
        let bare: String = shown.chars().filter(|c| !['\u{200b}', '\u{200a}'].contains(c)).collect();
        prop_assert_eq!(bare, format!("> {code}"));
        prop_assert!(!shown.contains("**") && !shown.contains("](") && !shown.contains("~~"));
    }
}

#[test]
fn a_long_header_over_many_short_rows_does_not_multiply() {
    let header = format!("| a | {} | c |\n|---|---|---|\n", "h".repeat(1_000));
    let text = header + &"|1|2|3|\n".repeat(1_000);
    assert!(to_qq(&text).len() <= 8 * text.len());
}

#[test]
fn hostile_text_is_read_in_bounded_time() {
    for unit in [
        "[",
        "`",
        "<!--",
        "![",
        "**a ",
        "_",
        "<b ",
        "` `` ",
        "\\",
        "|",
        "> ",
        "- ",
        "[](https://",
    ] {
        let text = unit.repeat(20_000 / unit.len());
        let _ = (to_qq(&text), to_plain(&text), stable_prefix(&text));
    }
}
