"""Chat templates: what they render with any texts, which are refused, and that none of them can hold up or harm the engine."""

import json

import jinja2.ext
import jinja2.sandbox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import quick

from engine.errors import ModelError
from engine.models.language.template import ChatTemplate

CHATML = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA = (
    "{{- bos_token }}\n{%- set loop_messages = messages %}\n{%- for message in loop_messages %}\n"
    "    {%- set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}\n"
    "    {{- content }}\n{%- endfor %}\n"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
)
MISTRAL = (  # a system text goes into the user's turn, and the turns must alternate
    "{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}{%- set rest = messages[1:] %}"
    "{%- else %}{%- set rest = messages %}{%- endif %}{{- bos_token }}{%- for message in rest %}"
    "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{- raise_exception('Turns must alternate') }}{%- endif %}"
    "{%- if loop.last and system is defined %}{{- '[INST] ' + system + '\n\n' + message['content'] + '[/INST]' }}"
    "{%- else %}{{- '[INST] ' + message['content'] + '[/INST]' }}{%- endif %}{%- endfor %}"
)
PHI = (
    "{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{{ '<start_of_turn>' + message['role'] + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
DEAF = "{% for m in messages if m.role == 'user' %}U:{{ m.content }}\n{% endfor %}A:"  # leaves system turns out
PARTS = (
    "{% for m in messages %}{{ m.role }}:{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}"
    "{% endfor %};{% endfor %}"
)
TOKENS = {"bos_token": {"content": "<s>"}, "eos_token": "</s>"}
words = st.text(st.characters(exclude_categories=["Cs", "Co", "Cn"]), max_size=30)
some_words = words.filter(str.strip)


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    def write(source, **config):
        folder = tmp_path_factory.mktemp("model")
        (folder / "tokenizer_config.json").write_text(json.dumps({**TOKENS, "chat_template": source, **config}))
        return ChatTemplate(folder)

    return write


def rendered(source, *messages):
    """What transformers renders, with the texts themselves in the template's hands."""
    sandbox = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    chat = [{"role": role, "content": text} for role, text in messages]
    return sandbox.from_string(source).render(
        messages=chat, add_generation_prompt=True, bos_token="<s>", eos_token="</s>"
    )


@pytest.mark.parametrize("source", [CHATML, LLAMA, MISTRAL, PHI], ids=["chatml", "llama", "mistral", "phi"])
def test_texts_are_rendered_as_by_the_template_itself(make, source):
    template = make(source)

    @quick
    @given(some_words, some_words)
    def check(system, user):
        assert template.render(system, user) == rendered(source, ("system", system), ("user", user))
        assert template.render(None, user) == template.render("", user) == rendered(source, ("user", user))

    check()


@pytest.mark.parametrize("source", [GEMMA, DEAF], ids=["refuses", "leaves out"])
def test_without_a_system_turn_the_user_says_it(make, source):
    template = make(source)

    @quick
    @given(some_words, some_words)
    def check(system, user):
        assert template.render(system, user) == rendered(source, ("user", f"{system}\n\n{user}"))
        assert template.render(system, "") == rendered(source, ("user", system))
        assert template.render(None, user) == rendered(source, ("user", user))

    check()


@quick
@given(words, words)
def test_without_a_template_the_prompt_is_plain(tmp_path_factory, system, user):
    template = ChatTemplate(tmp_path_factory.getbasetemp())
    assert template.render(system, user) == (f"{system}\n\n{user}\n" if system else f"{user}\n")


def test_texts_cannot_act_as_templates(make):
    text = "{{ 7 * 7 }}{% raw %}\ufdd1user\u2003"
    assert make(CHATML).render(text, text).count(text) == 2


def test_messages_may_have_to_be_in_parts(make):
    assert make(PARTS).render("s", "u") == "system:s;user:u;"


def test_the_means_of_transformers_are_there(make):
    source = (
        "{% generation %}{{ {'a': '<ü>'} | tojson }}{% endgeneration %}{{ strftime_now('%Y') | length }}{{ bos_token }}"
        "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}{{ m.content }}{% endfor %}"
        "{% set box = namespace(n=tools is none) %}{{ box.n }}"
    )
    assert make(source).render(None, "u") == '{"a": "<ü>"}4<s>uTrue'


def test_the_file_wins_over_the_configuration_and_default_over_other_names(make, tmp_path):
    named = [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D{{ messages[-1].content }}"}]
    assert make(named).render(None, "u") == "Du"
    assert make(named[1:]).render(None, "u") == "Du"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**TOKENS, "chat_template": named}))
    (tmp_path / "chat_template.jinja").write_text("J{{ bos_token }}{{ messages[-1].content }}")
    assert ChatTemplate(tmp_path).render(None, "u") == "J<s>u"


MALICE = {
    "leaves the sandbox": ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
    "reads a file": ("{% include '/etc/passwd' %}", "loader"),
    "a long range": ("{% for i in range(10**9) %}{% endfor %}", "Range too big"),
    "loops in silence": (
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "takes too long",
    ),
    "loops and writes": (
        "{% for i in range(99999) %}{% for j in range(99999) %}xxxx{% endfor %}{% endfor %}",
        "characters",
    ),
    "a large text": ("{{ 'x' * 10**10 }}", "memory"),
    "a wide number": ("{{ '{:>9999999999}'.format(1) }}", "memory"),
    "a large number": ("{{ 9**(9**9) }}", "takes too long|memory"),
    "doubles": (
        "{% set b = namespace(x='xxxxxxxx') %}{% for i in range(99) %}{% set b.x = b.x ~ b.x %}{% endfor %}{{ b.x }}",
        "memory",
    ),
    "calls itself": ("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", "calls itself"),
}


@pytest.mark.parametrize(("source", "why"), MALICE.values(), ids=MALICE)
def test_a_template_that_asks_for_too_much_is_refused(make, source, why):
    with pytest.raises(ModelError, match=why) as refused:
        make(source + "{{ messages[-1].content }}")
    assert refused.value.code == "invalid_template"
    assert "chat_template.jinja" in refused.value.cure


@pytest.mark.parametrize(
    "source",
    [
        "{{ cycler.__init__.__globals__.os.system('touch MARK') }}",
        "{{ lipsum.__globals__['os'].popen('touch MARK').read() }}",
        "{{ joiner['__init__']['__globals__'].os.system('touch MARK') }}",
        "{{ self.__init__.__globals__.__builtins__.open('MARK', 'w') }}",
        "{{ namespace.__init__.__globals__.sys.modules.os.system('touch MARK') }}",
        "{{ (strftime_now | attr('__globals__')).os.system('touch MARK') }}",
        "{{ raise_exception.__globals__.os.system('touch MARK') }}",
        "{{ '{0.__class__.__mro__}'.format(messages).upper() ~ messages.__class__.__base__.__subclasses__() }}",
        "{% import 'os' as os %}{{ os.system('touch MARK') }}",
        "{% set x = messages.__reduce_ex__(2) %}{{ x[0]('MARK', 'w') }}",
        "{{ messages.append.__self__.__class__.__init__.__globals__ }}",
    ],
)
def test_a_template_that_tries_to_run_code_is_refused_and_runs_none(make, tmp_path, source):
    with pytest.raises(ModelError) as refused:
        make(source.replace("MARK", str(tmp_path / "mark")) + "{{ messages[-1].content }}")
    assert refused.value.code == "invalid_template"
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("a\n{% if %}", "line 2"),
        ("{{ raise_exception('No users!') }}", "No users!"),
        ("Hello", "does not write a user's text"),
        ("{{ messages[-1].content | upper }}", "changes it"),
        ("{{ nowhere.to_be.found }}", "undefined"),
        ([{"name": "a", "template": "A"}, {"name": "b", "template": "B"}], "none of them is called 'default'"),
        (17, "must be a text"),
    ],
)
def test_a_broken_template_is_refused_with_its_reason(make, source, why):
    with pytest.raises(ModelError, match=why) as refused:
        make(source)
    assert refused.value.code == "invalid_template"


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000], ids=["cut off", "a list", "bytes", "deep"])
def test_a_broken_configuration_is_refused_by_name(tmp_path, content):
    (tmp_path / "tokenizer_config.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"tokenizer_config\.json"):
        ChatTemplate(tmp_path)
