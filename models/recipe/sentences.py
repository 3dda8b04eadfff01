"""The sentences of the stories by stage, the plots, and the requests, as templates: text with slots {A} and choices [a|b|c]."""

T = {}
def S(stage, text):
    T[stage] = [x.strip() for x in text.strip().split("\n") if x.strip()]

S("open", """
Once there was {aadj} {ak} named {A} who lived {inp}.
{A} was {aadj} {ak} who lived {inp}.
[Once upon a time|Long ago|Not so long ago], {aadj} {ak} named {A} lived {inp}.
{Inp} lived {aadj} {ak} [named|called] {A}.
Everyone {inp} knew {A}, the {adj} {ak}.
{Aadj} {ak} named {A} had a little house {inp}.
If you walk far enough, you will meet {aadj} {ak} named {A} {inp}.
""")
S("weather", """
It was a {wadj} {tod}, and [the air smelled of {smell}|{sound}|nobody was in a hurry].
One {wadj} {tod}, {A} [went out for a walk|was sitting by the window|could not sit still|was humming a song].
The {tod} was {wadj} and [very still|full of small sounds|longer than usual].
{Wn} lay over the roofs that {tod}, and {sound}.
It began on a {wadj} {tod}.
Nobody liked the {wn} that {tod}, but {A} did not mind.
""")
S("think", """
{He} thought about it [for a long time|the whole way home|until the candle was out].
"[Every day is a new day|Slow and steady|Better late than never]," {A} [thought|said to the {wn}].
{A} was {adj}, but {he} was not stupid.
{He} had learned that from an old [teacher|aunt|sailor].
""")
S("wise", """
Some things are worth more than [gold|silver|a full purse].
[A small kindness goes a long way|A true friend is worth a long road|Good things need time], {A} thought.
Nobody {inp} ever forgot it.
{B} smiled, and so did {A}.
"[All is well|What a day|Now I am hungry]," said {A}, and {B} laughed.
""")
S("dream", """
More than anything, {A} wanted to {dream}.
{He} was always {adj}, and {he} dreamed that {he} would {dream}.
{A} had one wish: to {dream}.
"One day I will {dream}," {A} [often said|told the moon|liked to say].
""")
S("bfriend", """
[{His} best friend was|Next door lived|{He} had a good friend,] {abk} [named|called] {B}.
{He} often met {abk} named {B}, and the two [drank tea together|told each other everything|laughed about small things].
{A} had a friend named {B}, {abk} [with a loud laugh|with cold feet|with a soft voice|who was always on time].
""")
S("have", """
{His} greatest treasure was {ac} {o}.
{He} had {ac} {o} that {he} took everywhere.
{He} loved {his} {c} {o} more than anything else.
Every day {he} played with {ac} {o}.
There was only one thing {he} would never sell, and that was {ac} {o}.
{His} grandmother had once given {him} {ac} {o}.
""")
S("feelbad", """
{A} felt {bad}, and [{his} heart was heavy|the day seemed grey|{he} could not eat].
That made {A} very {bad}.
{He} was so {bad} that {he} [sat down and sighed|could not speak|forgot to eat].
"I have never been so {bad}," {A} [said softly|whispered|said].
""")
S("detail", """
Somewhere {sound}.
The {wn} did not stop.
The air smelled of {smell}.
{A} listened to the {wn} for a while.
Far away {sound}, and then it was quiet.
It was still {wadj}, and the path was empty.
""")
# lost
S("lose", """
But one day the {c} {o} was gone.
[That {tod}|On the way home], {he} [reached into {his} bag|looked around], and the {c} {o} was not there.
Then, near {p2}, the {c} {o} [slipped away|disappeared|fell out of {his} bag], and {A} did not notice.
"Where is my {o}?" cried {A}. The {c} {o} was gone.
When {he} came home, {he} saw that {he} had lost the {c} {o}.
""".replace("near {p2}", "in the {wn}"))
S("search", """
{He} looked [under the table|in every corner|in all {his} pockets|behind the house] and [found only dust|found nothing].
{A} searched {inp} until {his} feet hurt.
First {he} searched the house, and then {he} searched [the street|the yard|the whole path].
{He} asked the neighbours, but nobody had seen {ac} {o}.
{A} walked up and down and called for the {o}, as if it could answer.
""")
S("ask", """
Then {he} met {abk} named {B}. "Have you seen {ac} {o}?" {A} asked.
At last {he} knocked at the door of {B}, {abk}. "I have lost my {c} {o}," {he} said.
On the road stood {abk} whose name was {B}. "Please help me find my {o}," said {A}.
{B}, {abk} from next door, saw {his} face. "What is wrong?" {B} asked. "I have lost my {c} {o}," said {A}.
""")
S("hint", """
"Let us look together," said {B}.
{B} thought for a moment. "I saw something {c} {spot}," {bhe} said.
"Things that are lost like to hide," said {B}. "Did you look {spot}?"
{B} nodded. "Two pairs of eyes see more than one," {bhe} said.
{Bhe} took {bhis} [lamp|hat|stick] and said, "Come with me, {A}."
""")
S("found", """
And there it was: the {c} {o} lay {spot}.
They looked {spot}, and there was the {c} {o}.
{SPOT} something {c} was shining. It was the {o}!
{B} pointed. {SPOT} they saw the {c} {o}.
In the end it was {B} who found the {o} {spot}.
""")
S("thanks", """
"Thank you, {B}," said {A}. "[You are a true friend|I will never forget this|Without you it would be lost]."
{A} hugged {B} [for a long time|and laughed|so hard that {bhis} hat fell off].
{A} was so {good} that {he} gave {B} {ag}.
"How can I thank you?" asked {A}. "[Come to tea|Just smile|Sing me a song]," said {B}.
{A} thanked {B} and held the {c} {o} tight.
""")
# visitor
S("knock", """
Late that {tod} there was a knock at the door.
Suddenly somebody knocked three times.
When {he} was about to go to bed, {he} heard a knock.
That {tod} a stranger came through the {wn} to {his} door.
""")
S("stranger", """
Outside stood {abk} [with wet shoes|with a heavy bag|with tired eyes]. "My name is {B}," said the {bk}.
It was {abk}. "I am {B}," [said the visitor|the stranger said], "and I have come a long way."
{Abk} stood there and [bowed|smiled]. "They call me {B}," {bhe} said.
""")
S("need", """
"Could I have {need}?" {B} asked.
"I need nothing but {need}," said {B}.
{B} was {bad} and asked for {need}.
"The {wn} is strong," said {B}. "May I ask for {need}?"
""")
S("give", """
"Of course," said {A}, and {he} gave {bhim} {need}.
{A} did not think long and gave {B} {need}.
"Come in," said {A}. "Here is {need}."
{He} opened the door wide and brought {B} {need}.
""")
S("talk", """
They sat together and talked about [the sea|old songs|far countries|the stars|their mothers].
{B} told of a land where {sound} all day long.
{B} told {him} how {bhe} had lost {bhis} way {inq}.
"Where do you come from?" asked {A}. "I used to live {inq}," said {B}.
All {tod} long {B} told stories, and {A} forgot the {wn}.
""")
S("leave", """
The next day {B} left {ac} {o} on the table and went on.
When {B} went away, {bhe} gave {A} {ac} {o}. "For your kindness," {bhe} said.
"Take this {c} {o}," said {B} before {bhe} left. "It will remind you of me."
In the morning {B} was gone, but on the table lay {ac} {o}.
""")
S("keep", """
{A} still has the {c} {o} and thinks of {B} when [it is {wadj}|{sound}].
Since then the {c} {o} has hung above {his} door, and {A} waits for {B}.
{A} never saw {B} again, but {he} kept the {c} {o}.
Whenever {A} looks at the {c} {o}, {he} remembers {B}.
""")
# repair
S("broke", """
One day the {c} {o} [broke|fell down and broke|stopped working].
But the {c} {o} fell on the ground, and there was a crack in it.
"Oh no," said {A}. "My {c} {o} is broken."
{A} slipped in the {wn}, and the {c} {o} broke.
""")
S("try", """
{A} tried to mend it with a {tool}, but it did not work.
{He} worked on the {o} all {tod}, but it was still broken.
First {he} shook it. Then {he} turned it around. Nothing helped.
{He} read a book about it, but the book was [too long|too old|wrong].
""")
S("gofix", """
So {he} took the {o} to {B}, {abk} who could mend anything.
{He} carried the {o} to {abk} named {B}. "Can you repair it?" {he} asked.
Then {A} went to see {B}, {abk} with clever hands.
Luckily {B}, {abk}, came by and saw the broken {o}.
""")
S("fix", """
{B} took a {tool} and worked [quietly|slowly|with great care]. Soon the {o} was whole again.
"I need a {tool}," said {B}, and after an hour the {o} was as good as new.
{B} looked at it closely, fetched a {tool} and repaired the {c} {o}.
With a {tool} and a lot of patience, {B} mended the {o}.
""")
S("works", """
{A} tried the {c} {o}, and it worked!
The {c} {o} was even better than before.
"It works!" cried {A}. "My {o} is whole again."
Now the {c} {o} had one small scar, and {A} loved it even more.
""")
# contest
S("announce", """
That {tod} there was to be {game} {inp}, and the prize was {ac} {o}.
A sign hung {inp}: "Today: {game}. The winner gets {ac} {o}."
"There will be {game}," said everyone. The prize was {ac} {o}.
The people {inp} held {game} every year, and this time the prize was {ac} {o}.
""")
S("rival", """
{B}, {abk}, wanted to win too.
There was only one rival, {abk} named {B}.
"I will beat you," said {B}, {abk} who never lost.
{A} and {abk} named {B} wanted to try.
""")
S("train", """
{A} practised every day, even in the {wn}.
All week {A} thought of nothing but the {c} {o}.
{B} slept until noon, but {A} practised all {tod}.
Both of them were a little {bad} before it began.
""")
S("start", """
Then it began, and {sound}.
"Ready, steady, go!" called an old man.
At first {L} was ahead, and everyone clapped.
The crowd cheered for {A}, and the crowd cheered for {B}.
""")
S("win", """
But in the end {W} won, and {L} came second.
{W} did not give up, and so {W} won the prize.
It was close, but {W} was better that day. {L} [bowed|smiled bravely|shook {whis} hand].
"The winner is {W}!" called the judge, and {W} got the {c} {o}.
""")
S("after", """
{L} was {bad} at first, but then {lhe} shook hands with {W}.
"Well done, {W}," said {L}. "You earned it."
{W} looked at {L} and said, "Let us share the {c} {o}."
"Next year I will win," said {L}, and {W} laughed.
""")
# journey
S("errand", """
{A} had to bring {ac} {o} to {B}, {abk} who lived {inq}.
A letter came from {B}, {abk} {inq}: "Please bring me {ac} {o}."
"{B} needs {ac} {o}," thought {A}. {B} was {abk} and lived far away {inq}.
{A} wanted to visit {B}, {abk} {inq}, and bring {bhim} {ac} {o}.
""")
S("setout", """
{He} packed the {o} into a bag and set out in the {wn}.
So {he} left early and took the road to the {q}.
{He} put on {his} [hat|boots|coat], took the {c} {o} and began to walk.
With the {c} {o} under {his} arm, {A} started for the {q}.
""")
S("obst", """
On the way {he} came to {obst}, and {he} did not know what to do.
Soon there was {obst} in front of {him}.
Half way to the {q}, {A} met {obst}.
But the road was blocked by {obst}.
""")
S("over", """
{A} thought hard, took a deep breath and [went on|found a way around|was not {bad} any more].
{He} waited, sang a song, and then {he} found another way.
"I will not turn back," {he} said, and {he} did not.
An old woman showed {him} a secret path.
{He} was {bad}, but {he} held the {o} tight and went on.
""")
S("arrive", """
At last {A} reached the {q}, and there stood {B}.
When {he} came to the {q}, {B} was waiting [at the gate|in the doorway].
Tired but {good}, {A} knocked at the door of {B}.
Before dark {he} saw the {q}, and {B} came running.
""")
S("handover", """
"Here is your {o}," said {A}. {B} held the {c} {o} up to the light.
{A} gave {B} the {c} {o}. "You came all this way," said {B}.
"The {c} {o}!" cried {B}. "You did not forget."
{B} took the {c} {o} and [danced around the room|wept for joy|laughed out loud].
""")
# surprise
S("birthday", """
The next day was the birthday of {B}, {abk}, and {A} wanted to surprise {bhim}.
{B}, {abk}, had never had a birthday party, and {A} wanted to change that.
"Tomorrow is a big day for {B}," thought {A}. {B} was {abk} and a dear friend.
""")
S("make", """
In secret {he} made {ac} {o} for {bhim}.
{He} bought {ac} {o} and tied a bow around it.
All {tod} {he} worked on {ac} {o}, with the door locked.
{He} chose {ac} {o}, because {B} loved the colour {c}.
""")
S("hide", """
{He} hid the {o} {spot}, so that {B} would not see it.
Then {he} put the {c} {o} {spot} and waited.
{SPOT} {he} hid the {c} {o}.
""")
S("nearly", """
Once {B} almost looked {spot}, but {A} [began to sing|talked about the {wn}|dropped a plate].
"What are you hiding?" asked {B}. "Nothing," said {A} and turned red.
{B} was {bad}, because {bhe} thought that everyone had forgotten.
""")
S("party", """
When {B} came in, everyone shouted, "Surprise!"
In the evening {B} opened the door, and the whole room was full of light.
"Close your eyes," said {A}, and {B} did.
""")
S("present", """
{A} fetched the {c} {o}. {B} was so {good} that {bhe} could not speak.
"This is for you," said {A} and gave {B} the {c} {o}.
Then {A} looked {spot} and took out the {c} {o}. "Happy birthday, {B}!"
""")
# quarrel
S("both", """
One day {A} and {B} found {ac} {o}, and both of them wanted it.
Then they saw {ac} {o} in a shop, and there was only one.
{A} and {B} shared {ac} {o}, but that {tod} neither wanted to wait.
""")
S("quarrel", """
"It is mine," said {A}. "No, it is mine," said {B}.
"You always take everything," cried {B}, and {A} shouted back.
They pulled at the {c} {o} and called each other names.
"I saw the {o} first," said {A}, and {B} stamped {bhis} foot.
""")
S("apart", """
{B} went home and shut the door. {A} stood alone in the {wn}.
So they parted, and for three days they did not speak.
{A} kept the {o}, but it was no fun without {B}.
After that {A} was {bad}, and {B} was {bad} too.
""")
S("sorry", """
At last {A} went to {B} and said, "I am sorry. The {o} is not worth a friend."
"Forgive me," said {B}, who stood at the door with {ag}.
Then {A} knocked at the door of {B}. "You can have the {c} {o}," {he} said.
That {tod} {B} came through the {wn}. "I was wrong," {bhe} said.
""")
S("peace", """
"Let us share it," they both said, and so they did.
"I was wrong too," said {A}, and they [hugged|laughed|shook hands].
From then on {A} had the {o} one day, and {B} had it the next.
They put the {c} {o} between them and never quarrelled about it again.
""")
# promise
S("promise", """
{A} had promised {B}, {abk}, to {task} every day.
"Will you {task} while I am away?" asked {B}, {abk}. "I promise," said {A}.
{B}, {abk}, was ill and could not {task}. "I will do it for you," {A} promised.
""")
S("tempt", """
But that {tod} there was {game} {inp}, and everyone went.
But it was {wadj}, and {his} bed was warm.
"Come and play," called the others. {A} wanted to go very much.
On the third day {A} was tired and {bad}, and nobody would have noticed.
""")
S("remember", """
Then {he} remembered what {he} had promised {B}.
"A promise is a promise," said {A}.
{A} thought of {B} and stood up.
""")
S("do", """
So {he} went out into the {wn} to {task}.
{He} went to {task}, and {he} sang while {he} worked.
It took all {tod} to {task}, but {A} did it well.
""")
S("reward", """
When {B} came back, {bhe} saw everything. "You kept your word," {bhe} said and gave {him} {ac} {o}.
"Thank you, {A}," said {B}. "This {c} {o} is for you."
The next morning {ac} {o} lay at {his} door, with a note from {B}.
""")
# share (subtraction)
S("got", """
One {wadj} {tod} {A} picked {n1} {i1}.
That {tod} {A} had {n1} {i1} in a bag.
{A} went to the market and came home with {n1} {i1}.
"{N1} {i1}!" said {A}. "What a fine day."
""")
S("meetb", """
On the way home {he} met {B}, {abk} who looked {bad}.
By the road sat {abk} named {B} with an empty bag.
Then {B}, {abk} from the next village, came along. {Bhe} had nothing.
""")
S("askb", """
"I have not one of the {i1}," said {B}.
"What beautiful {i1}," said {B}.
{B} looked at the {i1} and said nothing.
"How many {i1} do you have?" asked {B}. "I have {n1}," said {A}.
""")
S("giveb", """
{A} gave {B} {n2} of the {i1}.
"Take {n2} of them," said {A}. "I still have {n3}."
{He} counted out {n2} {i1} and put them into the bag of {B}.
""")
S("left", """
Now {A} had {n3} left, and [that was enough|{he} was {good}].
So {A} went home with {n3} {i1} and a light heart.
{N3} were left, and they tasted better than all {n1} would have.
"{N3} are enough for me," said {A}.
""".replace("{N3} were left, and they tasted better than all {n1} would have.", "{A} counted again. There were {n3} now, but {he} was {good}."))
# meeting
S("alone", """
But {A} had no friends and was often {bad}.
{He} had a house and a garden, but nobody to talk to.
Day after day {A} sat alone and felt {bad}.
""")
S("newcomer", """
One {tod} {abk} named {B} moved into the house next door.
Then {abk} named {B} came to live {inp}.
That {tod} {he} saw {abk} through the {wn}. It was {B}, who was new {inp}.
""")
S("hello", """
"Hello," said {B}. "What a lovely {c} {o} you have."
"Is that your {c} {o}?" asked {B}. "Yes," said {A}. "Would you like to try it?"
{A} was shy, but {he} held out {his} {c} {o} and smiled.
""")
S("play", """
They played with the {c} {o} until it was dark.
{A} showed {B} how the {o} worked, and {B} learned quickly.
They laughed so much that {sound}, and they did not even hear it.
{B} brought {ag}, and they shared it.
""")
# snack (addition), may join several plots
S("snack", """
On the way {A} found {n1} {i1} and {n2} {i2}.
{A} had packed {n1} {i1} and {n2} {i2}.
{B} brought {n1} {i1} and {n2} {i2}.
There were {n1} {i1} and {n2} {i2} on the table.
""")
S("snack2", """
Together that made {n3} {cls}, and they shared them all.
They counted {n3} {cls} and [laughed|divided them|put them in a bowl].
"{N3} {cls}!" said {B}. "That is plenty."
""")
# endings
S("endo", """
And the {c} {o}? It still [lies|hangs|stands] in the little house {inp}.
And if you visit {A} {inp}, {he} will show you the {c} {o}.
From that day on {A} took good care of the {c} {o}.
That {tod} the {adj} {ak} fell asleep with the {c} {o} beside {him}.
The {c} {o} reminds them both of that {wadj} {tod}.
""")
S("endf", """
From that day on {A} and {B} were [friends|the best of friends].
And so the {adj} {ak} and the {bk} became friends.
{A} was not {bad} any more, and the {wn} [was gone|did not matter].
And {A} was {good}, and {B} was {good} too.
Even today the {ak} and the {bk} talk about that {wadj} {tod}.
When it is {wadj}, {A} and {B} still sit together {inp}.
""")
S("endd", """
And who knows, perhaps {he} will {dream} after all.
That night {A} dreamed that {he} would {dream}.
""")

# plot -> stages: (stage, chance); a letter names a coin that several stages of one story share
END = [("snack2", "S"), ("wise", .35), ("endo", "E"), ("endf", "F"), ("endd", "D")]
PLOTS = {
    "lost": [("open", 1), ("have", 1), ("dream", "D"), ("weather", .5), ("lose", 1), ("feelbad", .5), ("search", 1), ("think", .2), ("detail", .25), ("ask", 1), ("hint", .6), ("snack", "S"), ("found", 1), ("thanks", .8)] + END,
    "visitor": [("open", 1), ("dream", "D"), ("weather", .7), ("knock", 1), ("stranger", 1), ("need", 1), ("give", 1), ("snack", "S"), ("talk", .6), ("detail", .2), ("leave", 1), ("snack2", "S"), ("keep", 1), ("endd", "D")],
    "repair": [("open", 1), ("have", 1), ("dream", "D"), ("weather", .4), ("broke", 1), ("think", .2), ("feelbad", .5), ("try", .7), ("gofix", 1), ("snack", "S"), ("detail", .2), ("fix", 1), ("works", 1), ("thanks", .6)] + END,
    "contest": [("open", 1), ("dream", "D"), ("weather", .4), ("announce", 1), ("rival", 1), ("think", .2), ("train", .6), ("start", .6), ("win", 1), ("after", .8), ("snack", "S")] + END,
    "journey": [("open", 1), ("dream", "D"), ("weather", .5), ("errand", 1), ("think", .2), ("setout", 1), ("snack", "S"), ("detail", .3), ("obst", 1), ("over", 1), ("arrive", 1), ("handover", 1)] + END,
    "surprise": [("open", 1), ("dream", "D"), ("weather", .4), ("birthday", 1), ("think", .2), ("make", 1), ("hide", 1), ("nearly", .6), ("party", 1), ("present", 1), ("snack", "S")] + END,
    "quarrel": [("open", 1), ("bfriend", 1), ("dream", "D"), ("weather", .5), ("both", 1), ("quarrel", 1), ("apart", 1), ("think", .2), ("detail", .3), ("sorry", 1), ("peace", 1), ("snack", "S")] + END,
    "promise": [("open", 1), ("dream", "D"), ("weather", .4), ("promise", 1), ("tempt", 1), ("think", .2), ("remember", 1), ("do", 1), ("detail", .3), ("reward", 1), ("snack", "S")] + END,
    "share": [("open", 1), ("dream", "D"), ("got", 1), ("meetb", 1), ("askb", .6), ("giveb", 1), ("left", 1), ("endf", 1), ("endd", "D")],
    "meeting": [("open", 1), ("have", 1), ("dream", "D"), ("alone", 1), ("weather", .3), ("newcomer", 1), ("think", .2), ("hello", 1), ("play", 1), ("snack", "S")] + END,
}
WEIGHT = {"lost": 1.4, "visitor": 1, "repair": 1, "contest": 1, "journey": 1.1, "surprise": 1, "quarrel": 1, "promise": 1, "share": .8, "meeting": .9}

REQ = "[Write|Write me|Tell me|Please write|Please tell me|Give me|Make up] [a story|a short story|a little story|a tale] about"
R = {
    "lost": ["{aak} named {A} who loses {ac} {o} {inp}.", "{aak} who loses {ac} {o}.", "a lost {o}.", "{A}, who loses {his} {c} {o}.", "something that was lost {inp}.", "{A} and {B} and a lost {o}.", "a {c} {o} that is found {spot}."],
    "visitor": ["a visitor.", "{abk} named {B} who visits {aak} named {A} {inp}.", "a stranger who comes to {A} on a {wadj} {tod}.", "a guest who asks for {need}.", "{aak} who opens the door to a stranger."],
    "repair": ["{aak} named {A} who breaks {ac} {o}.", "a broken {o}.", "{abk} named {B} who repairs {ac} {o}.", "{A}, whose {o} breaks {inp}.", "something that is mended with a {tool}."],
    "contest": ["{game} {inp}.", "{game} that {W} wins.", "{A} and {B}, who both want to win {ac} {o}.", "a contest.", "{aak} named {A} and {game}."],
    "journey": ["a journey.", "{aak} named {A} who brings {ac} {o} to {B}.", "a journey to the {q}.", "{A}, who meets {obst} on the way to {B}.", "a long walk with {ac} {o}."],
    "surprise": ["a surprise.", "a birthday.", "{aak} named {A} who hides {ac} {o} {spot}.", "a birthday present for {B}.", "{A}, who makes {ac} {o} for {B}."],
    "quarrel": ["a quarrel.", "two friends who quarrel about {ac} {o}.", "{A} and {B}, who quarrel {inp}.", "{A} and {B}, who make peace.", "saying sorry."],
    "promise": ["a promise.", "{aak} named {A} who promises to {task}.", "{A}, who keeps a promise to {B}.", "{aak} who gets {ac} {o} for keeping a promise."],
    "share": ["sharing.", "{A}, who has {n1} {i1} and gives away {n2}.", "{n1} {i1}.", "{aak} who shares {his} {i1} with {B}.".replace("{his}", "the")],
    "meeting": ["a friendship.", "a new friend.", "{aak} named {A} who is often {bad}.", "how {A} met {B} {inp}.", "a new neighbour and {ac} {o}."],
    "*": ["{aadj} {ak} {inp}.", "{aak} named {A}.", "{ac} {o}.", "{A} and {B}.", "{aak} and {abk}.", "{aadj} {ak}.", "{aak} who wants to {dream}.", "a {wadj} {tod}."],
}
WORDS = "[Write|Tell me] a story with these words: "
KEYS = ["{ak}, {o}, {p}.", "{A}, {c}, {o}.", "{p}, {wadj}, {ak}.", "{A}, {B}, {p}.", "{o}, {ak}, {bk}."]
