use super::*;

fn session_state(name: &str) -> PageState {
    PageState {
        session: serde_json::json!({ "id": "s1", "public_name": name, "state": "running" }),
        right: crate::session::Right::Own,
        now: "2026-01-01T00:00:00Z".into(),
        max_nodes: 5,
        routing_mesh: false,
        ssh: false,
        lesson: None,
    }
}

#[test]
fn state_cannot_end_its_script_element() {
    let html = SessionPage::new(&session_state("</script><b>"), None).unwrap().render().unwrap();
    assert!(!html.contains("</script><b>"));
    assert!(html.contains("\\u003c/script>"));
}

#[test]
fn text_is_escaped_and_lesson_html_is_not() {
    let lesson = LessonView {
        title: "<i>Ship</i>".into(),
        html: "<section class=\"step\" id=\"intro\" data-step=\"intro\"><h2>Hello</h2></section>".into(),
        steps: vec![StepLink { id: "intro".into(), title: "a & b".into(), done: false }],
        next: Some(LessonLink { href: "/s/s1/c/l".into(), title: "<b>On</b>".into() }),
    };
    let html = SessionPage::new(&session_state("x"), Some(lesson)).unwrap().render().unwrap();
    assert!(!html.contains("<i>Ship</i>"));
    assert!(html.contains("<section class=\"step\" id=\"intro\""));
    assert!(!html.contains("a & b"));
    assert!(html.contains("href=\"/s/s1/c/l\"") && !html.contains("<b>On"));
}

#[test]
fn the_policy_allows_the_nonce_that_the_page_wrote() {
    let page = ErrorPage::not_found();
    let response = page.respond(StatusCode::NOT_FOUND);
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    let html = page.render().unwrap();
    assert!(policy.contains(&format!("'nonce-{}'", page.nonce)));
    assert!(html.contains(&format!("nonce=\"{}\"", page.nonce)));
    assert!(!policy.contains("unsafe-inline"));
}

#[test]
fn every_inline_script_and_style_has_the_nonce() {
    let waiting = PortWaitingPage { nonce: Nonce::new(), port: 8080, node: "node1".into() };
    let html = waiting.render().unwrap();
    for opening in ["<script", "<style"] {
        let all = html.matches(opening).count();
        assert_eq!(all, html.matches(&format!("{opening} nonce=\"{}\"", waiting.nonce)).count());
        assert!(all > 0);
    }
    assert!(!html.contains(" style=\""));
}
