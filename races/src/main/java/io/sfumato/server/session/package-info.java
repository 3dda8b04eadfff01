/**
 * Races between the engine thread and the threads of calls, tried some millions of times in every
 * order that the machine brings about (jcstress). In the package of what they race for, which is
 * nobody else's to see.
 */
package io.sfumato.server.session;
