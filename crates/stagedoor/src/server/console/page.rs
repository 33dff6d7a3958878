//! The console's pages as HTML. Whatever users named goes through [`escape`].

use std::fmt::Write as _;

use stagedoor_state::ivs::Stage;

/// The list of stages.
pub fn index(stages: &[Stage]) -> String {
    let mut rows = String::new();
    for stage in stages {
        let (arn, name) = (escape(&stage.arn), escape(&stage.name));
        let shown = if name.is_empty() { "–" } else { &name };
        let _ = write!(
            rows,
            "<tr><td>{shown}</td><td><a href=\"/_stagedoor/console/stage/{arn}\"><code>{arn}</code></a></td></tr>"
        );
    }
    let body = if rows.is_empty() {
        "<p>There is no stage yet. Create one with <code>CreateStage</code>.</p>".to_owned()
    } else {
        format!(
            "<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Stage</th></tr></thead><tbody>{rows}</tbody></table>"
        )
    };
    whole("Stages", "", &format!("<header><h1>Stages</h1></header><main>{body}</main>"))
}

/// One stage.
pub fn stage(stage: &Stage, topic: &str) -> String {
    let (arn, name, topic) = (escape(&stage.arn), escape(&stage.name), escape(topic));
    let title = if name.is_empty() { &topic } else { &name };
    let body = format!(
        r##"<header><h1>{title}</h1><p class="quiet"><code>{arn}</code> · <a href="/_stagedoor/console">all stages</a></p></header>
<main data-arn="{arn}" data-topic="{topic}">
<h2>Join</h2>
<form>
<label>Name <input name="user" maxlength="128" autocomplete="off"></label>
<label>Send <select name="source"><option value="pattern">test pattern</option><option value="camera">camera and microphone</option><option value="none">nothing, only watch</option></select></label>
<button>Join</button><button type="button" disabled>Leave</button>
</form>
<p id="status" role="status"></p>
<h2>Participants</h2><div id="people"></div>
<h2>Events</h2><ol id="events" tabindex="0" aria-label="Events of the newest session, newest first"></ol>
<noscript><p>This page needs JavaScript.</p></noscript>
</main>"##
    );
    whole(title, "<script type=\"module\" src=\"/_stagedoor/console/console.js\"></script>", &body)
}

fn whole(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} – Stagedoor</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"/_stagedoor/console/console.css\">{head}</head><body>{body}</body></html>\n"
    )
}

/// Text as it may stand in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text() {
        assert_eq!(escape("<a href='x'>\"&</a>"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&lt;/a&gt;");
    }
}
