//! Whole courses: what they become, and what their authors are told.

use std::{fs, path::Path};

use super::*;

/// A course folder with one lesson `one` in course `c`.
fn load(lesson: &str) -> (Library, Vec<String>) {
    load_files(&[("c/course.yaml", "title: C\nsummary: S\nlessons: [one]\n"), ("c/one.md", lesson)])
}

fn load_files(files: &[(&str, &str)]) -> (Library, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (library, problems) = Library::load(dir.path());
    (library, problems.iter().map(ToString::to_string).collect())
}

const FRONT: &str = "---\ntitle: One\nsummary: S\nminutes: 5\nlevel: beginner\ntags: [a]\n---\n";

fn step(markdown: &str) -> (Step, Vec<String>) {
    let (library, problems) = load(&format!("{FRONT}\nHello.\n\n{markdown}"));
    let lesson = library.lesson("c", "one").unwrap_or_else(|| panic!("{problems:?}"));
    (lesson.steps[1].clone(), problems)
}

/// The problems of a lesson whose text after the front matter begins in line 8.
fn problems(markdown: &str) -> Vec<String> {
    load(&format!("{FRONT}{markdown}")).1
}

#[test]
fn a_lesson_becomes_steps_with_the_html_that_the_page_expects() {
    let (library, problems) = load(include_str!("testdata/lesson.md"));
    assert_eq!(problems, Vec::<String>::new());
    let lesson = library.lesson("c", "one").unwrap();
    assert_eq!((lesson.minutes, lesson.level, lesson.tags.len()), (12, Level::Intermediate, 2));
    let html: String = lesson.steps.iter().map(|step| step.html.as_str()).collect();
    insta::assert_snapshot!("lesson", html);
    let ids: Vec<&str> = lesson.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["intro", "run-it", "files", "links"]);
    assert_eq!(lesson.step("run-it").unwrap().title, "Run `it`".replace('`', ""));
    assert_eq!(lesson.quiz("colour").unwrap().len(), 2);
    let texts: Vec<String> = lesson.step("run-it").unwrap().solution.iter().map(|a| format!("{a:?}")).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
}

#[test]
fn a_lesson_has_its_own_lab_image_or_its_courses() {
    let course = "title: C\nsummary: S\nlessons: [one, two]\nimage: minimal\n";
    let text = format!("{FRONT}\n## A\n\nHi.\n");
    let own = text.replace("tags: [a]\n", "image: alternatives\n");
    let files = [("c/course.yaml", course), ("c/one.md", &text), ("c/two.md", &own)];
    let (library, problems) = load_files(&files);
    assert_eq!(problems, Vec::<String>::new());
    let image = |id| library.lesson("c", id).unwrap().image.clone();
    assert_eq!((image("one").as_deref(), image("two").as_deref()), (Some("minimal"), Some("alternatives")));
    assert_eq!(load(&text).0.lesson("c", "one").unwrap().image, None);

    let bad = load(&text.replace("tags: [a]", "image: ../x")).1;
    assert!(bad[0].contains("image: \"../x\" is no image name"), "{bad:?}");
    let bad = load_files(&[("c/course.yaml", &course.replace("minimal", "A B")), files[1], files[2]]).1;
    assert!(bad[0].starts_with("c/course.yaml: image: \"A B\""), "{bad:?}");
}

#[test]
fn crlf_is_read_like_lf() {
    let text = include_str!("testdata/lesson.md");
    let html = |text: &str| -> Vec<String> {
        load(text).0.lesson("c", "one").unwrap().steps.iter().map(|s| s.html.clone()).collect()
    };
    assert_eq!(html(&text.replace('\n', "\r\n")), html(text));
}

#[test]
fn a_solution_stands_for_the_commands_but_keeps_the_files() {
    let (step, _) = step(
        "## A\n```sh run\ntrue\n```\n```text file=/a\nx\n```\n```sh solution\nfalse\n```\n```yaml check\n- port: 80\n```\n",
    );
    assert!(matches!(&step.solution[..], [Action::Write { text: file, .. }, Action::Type { text, enter: true, .. }]
        if text == "false" && file == "x\n"));
    assert!(matches!(&step.actions[..], [Action::Type { text, .. }, Action::Write { .. }] if text == "true"));
    assert!(step.html.contains("<details class=\"solution\">"));
}

#[test]
fn unsafe_html_becomes_text() {
    let (step, problems) = step(
        "## A\n<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> <b onclick=x>b</b> [x](https://a/\"onx=\"y)\n",
    );
    for bad in ["<script", "<img", "<b ", "\"onx"] {
        assert!(!step.html.contains(bad), "{}", step.html);
    }
    assert!(problems.iter().all(|p| p.contains("warning: raw HTML")), "{problems:?}");
    assert!(super::tests::problems("## A\n[x](javascript:alert(1))\n")[0].contains("leads nowhere"));
}

#[test]
fn problems_tell_file_and_line() {
    for (markdown, expected) in [
        ("## A\n```sh rum\nx\n```\n", "c/one.md:9: `rum` is no option"),
        ("## A\n\n```yaml check\n- imag: a\n```\n", "c/one.md:11: [0]: unknown field `imag`"),
        ("## A\n```yaml check\n- port: 80\n- file: {path: a}\n```\n", "c/one.md:11: `path: a` does not begin"),
        ("## A\n```yaml check\n- port: eighty\n```\n", "c/one.md:10: [0].port: invalid type"),
        ("## A\n```yaml check\n- title: x\n  hint: y\n```\n", "c/one.md:10: this check does not say"),
        ("## A\n```yaml check\n- {port: 80, image: a}\n```\n", "c/one.md:10: a check looks at one thing"),
        ("## A\n```yaml check\n- image: App\n```\n", "lower case"),
        ("## A\n```yaml check\n- image: {nam: app}\n```\n", "c/one.md:10: [0].image: unknown field `nam`"),
        ("## A\n```yaml check\n- container: {name: a, port: 8080:x}\n```\n", "neither 8080 nor 8080:5000"),
        ("## A\n```yaml check\n- {file: {path: /a, matches: '('}}\n```\n", "c/one.md:10: `matches`"),
        ("## A\n```yaml quiz\nquestion: q\noptions: 3\n```\n", "c/one.md:11: options: invalid type"),
        ("## A\n## A\n", "c/one.md:9: two steps have the id `a`"),
        ("## A {#A b}\n", "c/one.md:8: the step's id `A b`"),
        ("x\n```yaml check\n- port: 1\n```\n## A\n", "the introduction has checks"),
        ("Only text.\n", "c/one.md: the lesson has no steps"),
        ("## A\n[x](#b)\n", "c/one.md:9: there is no step `#b`"),
        ("## A\n[x](two.md)\n", "c/one.md:9: the link `two.md` leads to no lesson"),
        ("## A\n[x](port:no)\n", "c/one.md:9: `port:no`"),
        ("## A\n![x](a.png)\n", "c/one.md:9: images"),
        ("# Other\n## A\n", "c/one.md:8: the lesson's title"),
    ] {
        let found = problems(markdown);
        assert!(found.iter().any(|p| p.contains(expected)), "{markdown:?}: {found:?}");
    }
}

#[test]
fn front_matter_is_checked() {
    for (text, expected) in [
        ("## A\n", "c/one.md:1: a lesson begins with front matter"),
        ("---\ntitle: x\n", "c/one.md:1: the front matter has no end"),
        (
            "---\ntitle: x\nminutes: 3\nsummary: s\nlevel: beginner\nauthor: me\n---\n## A\n",
            "c/one.md:6: unknown field `author`",
        ),
        ("---\ntitle: x\nsummary: s\nlevel: beginner\n---\n## A\n", "missing field `minutes`"),
        (
            "---\ntitle: x\nsummary: s\nminutes: 3\nlevel: expert\n---\n## A\n",
            "c/one.md:5: level: unknown variant `expert`",
        ),
        ("---\ntitle: [\n---\n## A\n", "c/one.md:"),
    ] {
        let found = load(text).1;
        assert!(found.iter().any(|p| p.contains(expected)), "{text:?}: {found:?}");
    }
}

#[test]
fn a_broken_lesson_hides_no_other() {
    let (good, bad) = (format!("{FRONT}## A\n"), "## No front matter\n".to_owned());
    let (library, problems) = load_files(&[
        ("c/course.yaml", "title: C\nsummary: S\nlessons: [good, bad, gone, UP, good]\n"),
        ("c/good.md", &good),
        ("c/bad.md", &bad),
        ("c/forgotten.md", &good),
        ("c/README.md", "Not a lesson."),
        ("d/course.yaml", "title: D\nlesons: []\n"),
        ("notes/readme.txt", "Not a course."),
    ]);
    assert_eq!(library.courses().len(), 1);
    assert!(library.lesson("c", "good").is_some() && library.lesson("c", "bad").is_none());
    for expected in [
        "c/course.yaml: the lesson `gone` is listed, but",
        "c/course.yaml: the lesson's name `UP`",
        "c/course.yaml: the lesson `good` is listed twice",
        "c/course.yaml: warning: `forgotten.md` is not listed",
        "c/bad.md:1: a lesson begins",
        "d/course.yaml:2: unknown field `lesons`",
    ] {
        assert!(problems.iter().any(|p| p.contains(expected)), "{expected}: {problems:?}");
    }
    assert_eq!(problems.len(), 6, "{problems:?}");
}

#[test]
fn a_folder_that_is_not_there_is_a_problem() {
    let (library, problems) = Library::load(Path::new("/nowhere/courses"));
    assert!(library.courses().is_empty());
    assert!(problems[0].to_string().contains("/nowhere/courses: the folder of the courses cannot be read"));
}

#[test]
fn steps_that_cannot_be_proven_are_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("c")).unwrap();
    fs::write(dir.path().join("c/course.yaml"), "title: C\nsummary: S\nlessons: [one]\n").unwrap();
    let steps = "## A\n```sh run\ntrue\n```\n## B\n```yaml check\n- port: 80\n```\n";
    fs::write(dir.path().join("c/one.md"), format!("{FRONT}{steps}")).unwrap();
    let found: Vec<String> = validate(dir.path()).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("step `a` has something to do") && found[1].contains("step `b` has checks"));
}

#[test]
fn the_courses_of_this_project_are_sound() {
    let courses = Path::new(env!("CARGO_MANIFEST_DIR")).join("courses");
    let found: Vec<String> = validate(&courses).iter().map(ToString::to_string).collect();
    assert_eq!(found, Vec::<String>::new());
    let (library, _) = Library::load(&courses);
    let lesson = library.lesson("containers-and-docker", "pull-build-ship-run").unwrap();
    assert!(lesson.quiz("what-is-a-container").is_some() && lesson.quiz("typical-workflow").is_some());
}

#[test]
fn slugs_are_ids() {
    assert_eq!(slug("What is Docker's typical workflow?"), "what-is-dockers-typical-workflow");
    assert_eq!(slug("  Äpfel & Birnen! "), "pfel-birnen");
    assert_eq!(slug("…"), "");
}

/// What `docs/lesson-format.md` shows to authors must work as it stands there.
#[test]
fn the_authors_page_is_true() {
    let page = include_str!("../../docs/lesson-format.md");
    let block = |begin: &str, end: &str| -> String {
        let from = page.find(begin).unwrap_or_else(|| panic!("{begin}")) + begin.len();
        page[from..from + page[from..].find(end).unwrap()].to_owned()
    };
    let (library, problems) = load(&block("````markdown\n", "````\n"));
    assert_eq!(problems, Vec::<String>::new());
    let lesson = library.lesson("c", "one").unwrap();
    assert_eq!(lesson.steps.len(), 4);
    let checks = block("```yaml\n# An image.", "```\n").replace("sha256:…", &format!("sha256:{}", "0".repeat(64)));
    let (step, problems) = step(&format!("## A\n```yaml check\n# An image.{checks}```\n"));
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(step.checks.len(), 15);
}
