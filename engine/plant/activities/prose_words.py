"""The words of people who write freely: how they begin, what does not matter, how they ask and end, which limits they know.

In the marks of `sentences.py`: `{m}` is the machine, `{o}` another one. Every fifth of a list is held out.
"""

GREETINGS = (
    "(Hi|Hello|Hey|Good morning|Morning|Evening|Hi there)( all| team| everyone| Sam| Ms Weber||),", "(Dear|Dear Mr|Dear Ms) (Okafor|Lindqvist|Tanaka|Brandt|colleague),", "Folks,", "(quick one|short one|one more thing|me again):", "(Guys|Gents|Boss|Chief),",
    "@(maintenance|ops|control|oncall|all)", "(Sir|Madam),", "(Hallo|Servus|Ahoy|Howdy)(,|!)", "(sorry to bother you again|as promised|following up on our call|further to the phone call),", "To the (day shift|night crew|control room|service desk):",
)  # fmt: skip
LEADS = (
    "(I'm|I am|we are) (at|next to|in front of|standing by) the {m}.", "(Was|Just was|Have been) at the {m}.", "It is about the {m}.", "(Regarding|Re|About|On|Concerning) the {m}:", "The {m} (behaves strangely|worries me|is my problem|again).", "I (walked past|looked at|checked|visited) the {m} (on my round|just now|after lunch|twice).",
    "(Calling|Writing) because of the {m}.", "{m}, (as seen from here|my observations|what I saw|what I noticed):", "(Here is|This is|Find below) what I (see|know|found) on the {m}.", "We have an (old|elderly|brand new|odd) {m} (in the cellar|in hall 3|on the roof|at site B|out here|).", "Somebody (asked|called|complained) about the {m}.",
    "(Please have|Could you have|Can you take) a look at the {m}.", "The {m} (in the back|of line two|by the gate|upstairs|down the hall) (does this|looks like this):", "(Came to|Arrived at|Got to) the {m} (at ten|late|this morning|before the others).", "My {m} (is acting up|does something|puzzles me).", "The {m}.", "Report from the {m}.",
    "Some words on the {m}.", "You wanted to know about the {m}.", "(Round|Patrol|Tour) done, {m} (last|first|too).", "{m} -", "(The boys|The ladies|They) at the {m} (say|told me) this.", "(For the record|For the book|For the file), the {m}.", "(Picture|Situation) at the {m}:", "On the {m} (now|today|this time|as usual):",
)  # fmt: skip
ASIDES = (
    "(It|The weather) is (raining|cold|hot|lovely) (outside|here|again|today).", "(Coffee|The coffee machine|The kettle) is (broken|empty|out) again.", "(Jens|Marta|The apprentice|The new guy|Ali|Old Pete) (is on leave|is sick|has the keys|took over|was here before me|said hello).", "I (have|had) (no|little) time to (dig deeper|check more|write much).",
    "The (fence|gate|roof|car park|stair) (was painted|needs paint|is wet) (last week|again|).", "We (ordered|got|are waiting for) (spare parts|a new gasket|gloves|filters|two fuses) (last month|in May|on Friday|).", "(My boots are|The floor is) (muddy|wet|dirty).", "(Phone battery at|I have) (12|20|35) % (left|), so (short|be quick).",
    "Oil (was|got) changed in (March|2023|spring|week 14).", "(Took|Made|Attached|Sent) (a photo|two photos|a video).", "Insurance (wants|needs) a paper on (it|that).", "(Nothing|No alarm|No message) on the (other|second) (screen|panel).", "(Ticket|Order|Case|Job) (4482|no. 77|19-203|BX12) (is open|was closed|belongs to this).",
    "(The auditor|A visitor|The customer|The boss) (comes|was here|is here) (tomorrow|on Monday|at three).", "I (am not|am no) (expert|electrician|specialist) (though|on this|).", "(Forget|Ignore|Never mind) the (red lamp|sticker|old label), (it is always there|nobody cares).", "(Lunch|Break|Shift change) in (10|15|40) minutes.",
    "(It|The thing) is from (1998|2004|2011|2019) (I think|).", "The (cat|dog|radio|light) (next door|in the office) (is fine|is loud|was on).", "Last (inspection|service|visit) (two|five|nine) months ago.", "(Parking|Canteen|Gate) closes at (6|7|10) pm.", "(Yesterday|Last night|On Tuesday) (was quiet|nothing happened|all was well|we had a drill).",
    "Badge no. (317|88|2045).", "(Room|Bay|Hall|Building) (4|12|C|7b), (second|first|ground) floor.", "(Ear plugs|Helmet|Goggles) on.",
)  # fmt: skip
OTHERS = (
    "The {o} (next to it|next door|beside it|over there|in the other hall) is another matter: {s}.", "(Meanwhile|By the way), on the {o} {s}.", "Not to be mixed up with the {o}: there {s}.", "The {o} too: {s} - (not my question|leave that one|that one is fine).", "(Different story|Other job): {o}, {s}.",
    "(Also saw|Also checked) the {o}: {s}.", "(For comparison|To compare), the {o}: {s}.", "{o}: {s}. (Forget that one|Known|Not asked).",
)  # fmt: skip
QUESTIONS = (
    "(So|Now|And|Well,|) what is (it|the {m}) (doing|up to|busy with)(, you think|, please||)?", "(Can|Could) (you|anyone|somebody) (tell me|say|work out) what (state|mode|condition) (it|the {m}) is in?", "What (do we call|would you call|should I call) (this|that|it)?", "(Any|Has anyone an|Got an) (idea|clue|explanation)(, folks|?|)?",
    "What('s| is) (happening|going on|the matter|up)( there| with the {m}| in your view|)?", "I (need|want|would like) (the state|to know what it does|one word for it|the right label) (for the report|for the log|please|).", "(What|Which state) (do|shall|should) I (write|put|enter|tick)( for the {m}|)?", "(Is this|Would you say this is) normal, (and|or) what is it doing?",
    "(Tell|Let) me (know|hear) what (it|the {m}) is (doing|at).", "(Please|Kindly) (name|give) the activity( of the {m}|).", "(Over|Your turn|Come back): what is the {m} doing?", "(State of the {m}|What about the {m})?", "How would (you|an expert|the vendor) (describe|name) (this|it)?", "What was (it|the {m}) (doing|at) (then|at that time|when I looked)?",
    "Which (operation|activity|phase) (fits|is it|matches)?", "(Explain|Interpret) (this|that) (to me|for us|) (in plain words|briefly|please).", "(Should I|Do I have to) (call someone|stop it|do something)? What is it doing?", "(status|state|mode|activity)(?| please| of the {m}?)", "(Just|Only) tell me the (state|mode|activity).", "(What's|What is) your (reading|opinion|guess|bet)( on the {m}|)?",
)  # fmt: skip
CLOSINGS = (
    "(Thanks|Thank you|Cheers|Thx|Many thanks)(,|!| -|) (Ina|Georg|R. Silva|the night shift|Bo|)", "(Regards|Best|Kind regards|BR|Greetings)(,|) (Chen|Lucy|Omar|Petra|M.)", "(Call me|Ring me|Text me) (back|if needed|on 2217|any time).", "(See you|Bye|Until|So long)( later| tomorrow| on site|).", "(End|That is all|That's it|Nothing else|More later)(.|!)",
    "(Over|Over and out|Out|Copy?)", "(Signed|Written by|Noted by) (KL|shift B|me|Hanna).", "(sent from my phone|typed on a tablet|excuse typos)", "(Have a good one|Stay safe|Good night|Mahlzeit).", "(Standing by|Waiting for your answer|Awaiting your call).",
)  # fmt: skip
TOO_HIGH = (
    "The (sticker|manual|label|book) says {n} no more than {v}.", "{n} (ought to|should|has to|must) (stay|be|remain) (under|below) {v}.", "(They|We) (allow|permit|accept) {v} for {n}, not more.", "{n} alarms (at|from) {v}(, I was told|).", "(Red mark|Red line) of {n} is {v}.", "{n} is good up to {v}.", "Above {v} on the {n} (is bad|we call you|is not allowed).",
)  # fmt: skip
TOO_LOW = (
    "The (sticker|manual|label|book) says {n} no less than {v}.", "{n} (ought to|should|has to|must) (stay|be|remain) (over|above) {v}.", "(They|We) (want|need|require) {v} for {n} at least.", "{n} alarms (below|under) {v}(, I was told|).", "(Green mark|Lower mark) of {n} is {v}.", "{n} is good from {v} on.", "Under {v} on the {n} (is bad|we call you|is not allowed).",
)  # fmt: skip
