//! Templates that would take forever, or all memory, end with an error or within their limits.

use std::time::{Duration, Instant};

use stagedoor_vtl::{Failure, Limits, Scope, TEMPLATE_BYTES_MAX, Template};

/// Long even for an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn failure_with(source: &str, body: &str) -> Option<Failure> {
    let started = started();
    let template = Template::parse(source).unwrap();
    let rendered = template.render(&Scope { body, ..Scope::default() }, &Limits::default());
    assert!(started.elapsed() < PATIENCE, "{:?} for {source}", started.elapsed());
    rendered.err().map(|error| error.failure)
}

fn failure(source: &str) -> Option<Failure> {
    failure_with(source, "")
}

#[expect(clippy::disallowed_methods, reason = "measures real time")]
fn started() -> Instant {
    Instant::now()
}

#[test]
fn loops_end_after_a_thousand_rounds() {
    let template = Template::parse("#foreach($i in [1..5000])$foreach.count #end").unwrap();
    let rendered = template.render(&Scope::default(), &Limits::default()).unwrap();
    assert!(rendered.text.ends_with(" 999 1000 "));
}

#[test]
fn endless_work_is_stopped() {
    let cases = [
        // Loops in loops.
        "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#set($x = 1)#end#end#end",
        // Arguments by name double the work at each level.
        "#macro(a $x)#b(\"$x$x\")#end#macro(b $x)#c(\"$x$x\")#end#macro(c $x)#d(\"$x$x\")#end\
         #macro(d $x)#e(\"$x$x\")#end#macro(e $x)$x$x$x$x$x$x$x$x#end\
         #foreach($i in [1..1000])#foreach($j in [1..1000])#a(\"$i\")#end#end",
        // Long texts compared again and again.
        "#set($s = 'x')#set($s = $s.repeat(1000000))#foreach($a in [1..1000])#foreach($b in [1..1000])\
         #if($s.contains('y'))#end#end#end",
        // Searching a long list for what it does not hold.
        "#set($l = [1..100000])#foreach($a in [1..1000])#set($x = $l.contains('no'))#end",
    ];
    for source in cases {
        assert_eq!(failure(source), Some(Failure::TooManySteps), "{source}");
    }
}

#[test]
fn memory_is_bounded() {
    let cases = [
        "#set($s = 'x')#foreach($i in [1..1000])#set($s = $s + $s)#end",
        "#set($s = 'x')#foreach($i in [1..1000])#set($s = \"$s$s\")#end",
        "#set($s = 'x')#set($t = $s.repeat(2000000000))",
        "#set($s = 'x')#set($s = $s.repeat(1000000))#set($t = $s.replaceAll('x', $s))",
        "#set($s = 'x')#set($s = $s.repeat(3000000))#set($r = '$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0')#set($t = $s.replaceAll('x+', $r))",
        "#set($s = 'x')#set($s = $s.repeat(3000000))#set($t = $s.split(''))",
        "#set($s = 'x')#set($s = $s.repeat(3000000))#set($t = $s.toCharArray())",
        "#set($l = [1..900000])#foreach($i in [1..1000])#set($x = $l.addAll($l))#end",
        "#set($l = [1..1000000000])",
    ];
    for source in cases {
        let failure = failure(source);
        assert!(
            matches!(failure, Some(Failure::TooMuchMemory | Failure::OutputTooLong)),
            "{failure:?} of {source}"
        );
    }
}

#[test]
fn output_is_bounded() {
    let cases = [
        "#set($s = 'x')#set($s = $s.repeat(100000))#foreach($i in [1..1000])$s#end",
        // A list that holds the list before it twice is short to make and long to print.
        "#set($l = ['x'])#foreach($i in [1..60])#set($l = [$l, $l])#end$l",
    ];
    for source in cases {
        assert_eq!(failure(source), Some(Failure::OutputTooLong), "{source}");
    }
    // The same of JSON has more brackets than text, and runs out of steps.
    let json = "#set($l = $util.parseJson('[1]'))#foreach($i in [1..60])#set($n = $util.parseJson('[]'))\
                #set($x = $n.add($l))#set($x = $n.add($l))#set($l = $n)#end$l";
    assert_eq!(failure(json), Some(Failure::TooManySteps));
}

#[test]
fn recursion_is_bounded() {
    let cases = [
        "#macro(m)#m()#end#m()",
        "#macro(m $a)#m([$a])#end#m(1)",
        "#set($s = '#evaluate($s)')#evaluate($s)",
        "#set($l = [])#foreach($i in [1..1000])#set($l = [$l])#end$l",
        "#set($m = {})#foreach($i in [1..1000])#set($m = {'m': $m})#end#if($m == {'m': $m})#end$m",
        "#set($l = [])#foreach($i in [1..1000])#set($l = [$l])#end#set($context.requestOverride.header.x = $l)",
    ];
    for source in cases {
        assert_eq!(failure(source), Some(Failure::TooDeep), "{source}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(failure_with("$input.json('$')", &deep), Some(Failure::TooDeep));
}

#[test]
fn blocks_that_print_each_other_end() {
    assert_eq!(failure("#define($a)$b$b#end#define($b)$a$a#end$a"), None);
}

#[test]
fn searches_are_bounded() {
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let wide = format!("[{}]", vec![nested; 50].join(","));
    assert_eq!(failure_with("$input.json('$..*..*..*..*')", &wide), Some(Failure::TooManySteps));
    let often = "#foreach($a in [1..1000])#foreach($b in [1..1000])#set($x = $input.path('$..x'))#end#end";
    assert_eq!(failure_with(often, &wide), Some(Failure::TooManySteps));
}

#[test]
fn patterns_take_linear_time() {
    let body = "a".repeat(200_000);
    assert_eq!(failure_with("#set($s = $input.body)$s.matches('(a+)+b')$s.matches('(a|a)*c')", &body), None);
    let huge = failure("#set($s = 'x')$s.matches('((((a{100}){100}){100}){100})')");
    assert!(matches!(huge, Some(Failure::Method(_))), "{huge:?}");
}

#[test]
fn templates_are_bounded() {
    let cases = [
        "x".repeat(TEMPLATE_BYTES_MAX + 1),
        "#if(true)".repeat(1000),
        format!("#set($x = {}1{})", "(".repeat(1000), ")".repeat(1000)),
        format!("#set($x = {}1{})", "[".repeat(1000), "]".repeat(1000)),
        format!("#set($x = {}true)", "!".repeat(1000)),
        format!("#set($x = {}1)", "-".repeat(1000)),
        format!("#set($x = {}1)", "1 + ".repeat(1000).replace(' ', " (")),
        format!("{}1", "$a.b(".repeat(1000)),
        format!("{}1", "$a[".repeat(1000)),
        format!("{}1", "#m(".repeat(1000)),
        format!("{}1", "#m([".repeat(1000)),
    ];
    for source in &cases {
        assert!(Template::parse(source).is_err(), "{}", &source[..40]);
    }
    // As deep as they may be, they neither parse nor render beyond the stack of a server's thread.
    for depth in [30, 45, 90] {
        let deep = [
            format!("{}x{}", "#if(true)".repeat(depth), "#end".repeat(depth)),
            format!("{}x{}", "#foreach($i in [1])".repeat(depth), "#end".repeat(depth)),
            format!("#set($x = {}1{})$x", "[".repeat(depth), "]".repeat(depth)),
            format!("#set($l = [0])#set($x = {}0{})$x", "$l.get(".repeat(depth), ")".repeat(depth)),
            format!("#macro(m $a){}#m($a){}#end#m(1)", "#if(true)".repeat(depth), "#end".repeat(depth)),
        ];
        for source in &deep {
            if let Ok(template) = Template::parse(source) {
                let _ = template.render(&Scope::default(), &Limits::default());
            }
        }
    }
}

#[test]
fn long_templates_parse_in_linear_time() {
    let fragments = [
        "$a",
        "#set($a = 1)",
        "#foo(",
        "\\",
        "$!{a.b}",
        "#[[x]]#",
        "##\n",
        "\"$a\"",
        "#if($a)#end",
        "${",
        "#@x",
    ];
    let started = started();
    for fragment in fragments {
        let _ = Template::parse(&fragment.repeat(TEMPLATE_BYTES_MAX / fragment.len()));
    }
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn errors_say_where() {
    let error = Template::parse("a\nb #if($x) c\n").unwrap_err();
    assert_eq!((error.line, error.column), (2, 3));
    assert_eq!(error.to_string(), "line 2, column 3: #if without #end");
    let error = Template::parse("é\n é#set($x = )").unwrap_err();
    assert_eq!((error.line, error.column), (2, 13));
}
